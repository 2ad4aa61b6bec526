"""Sequences come in; clusters without similar sequences across them go out."""

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
        The tool that compared the sequences, with its version.
    """

    numbers: IntArray
    tool: str

    def __len__(self) -> int:
        """Return the number of clusters."""
        return int(self.numbers.max(initial=-1)) + 1


def cluster(sequences: Sequence[str], settings: SimilaritySettings) -> Clusters:
    """Return clusters such that `search` finds no similar sequences in different clusters.

    The clusters are the connected components of the similar pairs: a sequence similar to one member
    belongs to the cluster. A split without leaks needs such clusters. Clusters around a
    representative are smaller, but leave similar pairs in different clusters.

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
