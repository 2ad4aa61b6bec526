"""Sequences come in; clusters without similar sequences across them go out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from peftide.progress import working
from peftide.similarity.copies import find_copies
from peftide.similarity.searching import distinct, search_distinct
from peftide.similarity.selecting import Links
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
    """Return clusters without similar sequences in different clusters.

    The clusters are the connected components of the similar pairs: a sequence similar to one member
    belongs to the cluster. A split without leaks needs such clusters. Clusters around a
    representative are smaller, but leave similar pairs in different clusters. Pairs that are
    already linked through others are not aligned.

    Near-copies (at equal length, at least 95 % of the residues are identical) are compared with
    other sequences through one sequence, so a pair within 5 % of a limit may be judged differently.

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
    numbers, texts = distinct(sequences)
    with working("looking for near-copies"):
        copies = find_copies(texts, settings)
    kept = copies.representatives
    texts = copies.texts()
    narrow = copies.settings(settings.suited(texts, texts))
    links = Links(len(kept), most=narrow.max_hits)
    hits = search_distinct(texts, texts, narrow, selection=links)
    edges = coo_array((np.ones(len(hits)), (hits.query, hits.target)), shape=(len(kept),) * 2)
    if not len(sequences):
        return Clusters(np.empty(0, dtype=np.int64), hits.tool)
    _, found = connected_components(edges, directed=False)
    groups = found[np.searchsorted(kept, copies.of)][numbers]
    return Clusters(pd.factorize(groups)[0].astype(np.int64), hits.tool)
