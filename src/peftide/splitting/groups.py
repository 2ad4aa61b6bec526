"""Links between things come in; the groups that hold together go out."""

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from peftide.types import IntArray


def join_linked(count: int, links: IntArray) -> IntArray:
    """Return the group of each thing: those linked, directly or over others, are in one.

    Parameters
    ----------
    count
        Number of things.
    links
        Two things each. Shape (E, 2).

    Returns
    -------
    IntArray
        Groups, numbered from 0. Shape (count,).

    Examples
    --------
    >>> join_linked(5, np.array([[0, 2], [2, 4]])).tolist()
    [0, 1, 0, 2, 0]
    """
    ends = links[:, 0], links[:, 1]
    graph = sparse.coo_array((np.ones(len(links), dtype=bool), ends), shape=(count, count))
    return connected_components(graph, directed=False)[1].astype(np.int64)
