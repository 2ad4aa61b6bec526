"""Sequences come in; clusters with nothing similar across them go out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from peftide.similarity.searching import search
from peftide.similarity.settings import SimilaritySettings
from peftide.types import IntArray


@dataclass(frozen=True)
class Clusters:
    """The cluster of each sequence.

    Attributes
    ----------
    numbers
        Cluster of each sequence, from 0, in order of first appearance. Shape (P,).
    tool
        What compared the sequences, with its version.
    """

    numbers: IntArray
    tool: str

    def __len__(self) -> int:
        """Return the number of clusters."""
        return int(self.numbers.max(initial=-1)) + 1


def cluster(sequences: Sequence[str], settings: SimilaritySettings) -> Clusters:
    """Return clusters such that no two sequences of different ones were found to be similar.

    These are the connected components of what `search` finds: whoever is similar to one member
    belongs to the cluster, as a split without leaks needs it. Clusters around a representative,
    which are smaller, leave similar pairs across their borders.

    Raises
    ------
    PeftideError
        If MMseqs2 fails.

    Examples
    --------
    >>> settings = SimilaritySettings(tool="pyopal")
    >>> cluster(["MKVLA", "GGGGG", "MKVLA"], settings).numbers.tolist()
    [0, 1, 0]
    """
    hits = search(sequences, sequences, settings)
    edges = coo_array((np.ones(len(hits)), (hits.query, hits.target)), shape=(len(sequences),) * 2)
    if not len(sequences):
        return Clusters(np.empty(0, dtype=np.int64), hits.tool)
    _, numbers = connected_components(edges, directed=False)
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    return Clusters(np.argsort(np.argsort(first))[inverse].astype(np.int64), hits.tool)
