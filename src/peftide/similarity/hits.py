"""Similar pairs of sequences as columns: selection, order, and expansion to repeated sequences."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from peftide.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Hits:
    """Pairs of a query and a target that are similar; all arrays have shape (H,).

    Attributes
    ----------
    query, target
        Indices into the query and target sequences.
    identity_fraction
        Identical residues per column of the local alignment.
    query_coverage_fraction, target_coverage_fraction
        Share of each sequence that the alignment spans.
    score
        Alignment score in bits.
    tool
        The tool that found the pairs, with its version.
    """

    query: IntArray
    target: IntArray
    identity_fraction: FloatArray
    query_coverage_fraction: FloatArray
    target_coverage_fraction: FloatArray
    score: FloatArray
    tool: str

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.query)

    @property
    def coverage_fraction(self) -> FloatArray:
        """The larger of query and target coverage. Shape (H,)."""
        return np.maximum(self.query_coverage_fraction, self.target_coverage_fraction)

    def take(self, rows: IntArray | BoolArray) -> "Hits":
        """Return only these pairs."""
        return _hits([column[rows] for column in self._columns()], tool=self.tool)

    def row(self, number: int) -> tuple[float, ...]:
        """Return target, identity, both coverages and score of one pair."""
        return tuple(float(column[number]) for column in self._columns()[1:])

    def best_first(self) -> "Hits":
        """Return the pairs ordered by query, with the best pair of each query first."""
        return self.take(np.lexsort((self.target, -self.score, self.query)))

    def best_per_query(self) -> "Hits":
        """Return only the best pair of each query, ordered by query."""
        ordered = self.best_first()
        return ordered.take(np.unique(ordered.query, return_index=True)[1])

    def to_repeats(self, queries: IntArray, targets: IntArray) -> "Hits":
        """Return the pairs of distinct sequences as pairs of all sequences.

        Parameters
        ----------
        queries, targets
            Number of the distinct sequence of each sequence.
        """
        frame = pd.DataFrame({"query": self.query, "target": self.target})
        frame["row"] = np.arange(len(self))
        everyone = [
            pd.DataFrame({side: numbers, f"own_{side}": np.arange(len(numbers))})
            for side, numbers in (("query", queries), ("target", targets))
        ]
        frame = frame.merge(everyone[0], on="query").merge(everyone[1], on="target")
        found = self.take(frame["row"].to_numpy(np.int64))
        own = [frame[f"own_{side}"].to_numpy(np.int64) for side in ("query", "target")]
        return _hits([*own, *found._columns()[2:]], tool=self.tool)

    def _columns(self) -> list[np.ndarray]:
        return [getattr(self, field.name) for field in fields(self)[:-1]]


def no_hits(tool: str) -> Hits:
    """Return an empty set of pairs."""
    return hits_of([], tool=tool)


def hits_of(rows: Sequence[tuple[float, ...]], *, tool: str) -> Hits:
    """Return rows (query, target, identity, query coverage, target coverage, score) as columns.

    Examples
    --------
    >>> hits_of([(0, 3, 0.4, 0.9, 0.5, 61.0)], tool="by hand").target.tolist()
    [3]
    """
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    ends = [table[:, column].astype(np.int64) for column in (0, 1)]
    return _hits([*ends, *table.T[2:]], tool=tool)


def together(first: Hits, second: Hits) -> Hits:
    """Return the pairs of both; if both have a pair, take it from the first."""
    columns = [
        np.concatenate(pair) for pair in zip(first._columns(), second._columns(), strict=True)
    ]
    pairs = pd.DataFrame({"query": columns[0], "target": columns[1]})
    return _hits(columns, tool=second.tool).take(~pairs.duplicated().to_numpy(bool))


def _hits(columns: Sequence[Any], *, tool: str) -> Hits:
    """Columns in the order of the fields."""
    return Hits(*columns, tool=tool)
