"""Counters of observations while reading: a number and the first few places."""

from collections.abc import Callable

import numpy as np

from peftide.sequences.records import Finding
from peftide.types import BoolArray

SHOWN_EXAMPLES = 3
MOST_LOOKED_AT = 1_000
"""Rows among which examples of different places are taken: residues of one row have one place."""


class Tally:
    """Counter of one kind of observation, with its first places.

    Parameters
    ----------
    kind
        Stable snake_case name of the observation.
    decision
        The decision about each observation.

    Examples
    --------
    >>> tally = Tally("repeated_ids", "the first one is used")
    >>> tally.add("a.fasta:3")
    >>> print(*tally.findings("sequences"))
    sequences: 1 repeated id: the first one is used (for instance a.fasta:3)
    """

    def __init__(self, kind: str, decision: str) -> None:
        self.kind, self.decision = kind, decision
        self.count = 0
        self._examples: list[str] = []

    def add(self, where: str) -> None:
        """Count one more observation, at `where`."""
        self.count += 1
        if len(self._examples) < SHOWN_EXAMPLES:
            self._examples.append(where)

    def findings(self, part: str) -> tuple[Finding, ...]:
        """One finding, or none if nothing was counted."""
        if not self.count:
            return ()
        return (Finding(part, self.kind, self.count, self.decision, tuple(self._examples)),)


def row_findings(
    part: str, kind: str, rows: BoolArray, *, where: Callable[[int], str], decision: str
) -> tuple[Finding, ...]:
    """One finding that counts the marked rows, or none if no row is marked.

    Parameters
    ----------
    part, kind, decision
        As in `Finding`.
    rows
        True for the rows to count. Shape (B,).
    where
        Place of a row by its index, for the examples.
    """
    marked = np.flatnonzero(rows)
    if not len(marked):
        return ()
    places = dict.fromkeys(where(int(row)) for row in marked[:MOST_LOOKED_AT])
    return (Finding(part, kind, len(marked), decision, tuple(places)[:SHOWN_EXAMPLES]),)
