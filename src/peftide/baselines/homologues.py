"""Queries and targets → the similar targets of each query, and how similar they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from peftide.similarity import SimilaritySettings, search
from peftide.types import FloatArray, IntArray


@dataclass(frozen=True)
class Homologues:
    """The homologues of each query.

    Attributes
    ----------
    starts
        The homologues of query p are the entries `starts[p]:starts[p + 1]`. Shape (P + 1,).
    target
        Index of a homologue among the targets. Shape (H,).
    identity_fraction
        Its share of identical residues in the alignment, from 0 to 1. Shape (H,).
    coverage_fraction
        Share of the shorter sequence that the alignment spans. Shape (H,).
    score
        Alignment score in bits. Shape (H,).
    """

    starts: IntArray
    target: IntArray
    identity_fraction: FloatArray
    coverage_fraction: FloatArray
    score: FloatArray

    @property
    def query(self) -> IntArray:
        """Index of the query of each homologue. Shape (H,)."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    def highest(self) -> FloatArray:
        """Yield the highest identity of each sequence, 0 where nothing was found. Shape (P,).

        Examples
        --------
        >>> identities = np.array([0.5, 0.75])
        >>> starts, targets = np.array([0, 2, 2]), np.array([4, 7])
        >>> Homologues(starts, targets, identities, identities, identities).highest()
        array([0.75, 0.  ])
        """
        best = np.zeros(len(self.starts) - 1)
        np.maximum.at(best, self.query, self.identity_fraction)
        return best


RULE = SimilaritySettings(tool="pyopal", max_hits=10)
"""The rule by which two proteins count as homologues."""

Search = Callable[[Sequence[str], Sequence[str]], Homologues]
"""(queries, targets) → the homologues of each query."""


def find_homologues(
    queries: Sequence[str], targets: Sequence[str], *, threads: int | None = None
) -> Homologues:
    """Yield the homologues of each query among its 10 most promising targets.

    At least 30 % identity over at least half of the shorter one, as the audit has it; equal
    sequences always are. They are looked for by pyopal on every machine, so that a baseline does
    not depend on what else is installed.

    Examples
    --------
    >>> found = find_homologues(["MK", "MKVLAAGIVGLCAWLDE" * 3], ["MKVLAAGIVGLCAWLDE" * 3, "MK"])
    >>> found.target.tolist(), found.identity_fraction.tolist()
    ([1, 0], [1.0, 1.0])
    """
    hits = search(queries, targets, replace(RULE, threads=threads))
    counts = np.bincount(hits.query, minlength=len(queries))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    columns = (hits.target, hits.identity_fraction, hits.coverage_fraction, hits.score)
    return Homologues(starts, *columns)
