"""The similar pairs that a search has to find: all, one per query, or enough to link clusters."""

from threading import Lock
from typing import Protocol, runtime_checkable

import numpy as np

from peftide.types import BoolArray, IntArray

FEWEST = 32
"""Targets in other clusters that each sequence looks at, however large its own cluster is.

pyopal aligns 32 targets in the time of one.
"""


@runtime_checkable
class Selection(Protocol):
    """Says which pairs still have to be aligned; threads may use it at the same time."""

    def wants(self, query: int, targets: IntArray) -> BoolArray:
        """Return for each target whether its alignment with the query can still matter."""
        ...

    def found(self, query: int, target: int) -> bool:
        """Take note of a similar pair; return whether the query is done."""
        ...


class EveryPair:
    """All similar pairs."""

    done = False

    def wants(self, query: int, targets: IntArray) -> BoolArray:
        """Return that each alignment matters."""
        return np.ones(len(targets), dtype=bool)

    def found(self, query: int, target: int) -> bool:
        """Return whether the query is done."""
        return self.done


class BestPair(EveryPair):
    """The best similar target of each query."""

    done = True


class Links:
    """Enough similar pairs to link each sequence with its cluster.

    A pair whose sequences are already linked through others is not aligned. Where targets come the
    most promising first, the members of a cluster share the search for its relatives: each looks
    at `most` targets divided by the members, and at `FEWEST` at least.

    Parameters
    ----------
    count
        Number of sequences.
    most
        Number of targets that a sequence without a cluster looks at. With fewer sequences, each
        looks at all.

    Examples
    --------
    >>> links = Links(3)
    >>> links.found(0, 2)
    False
    >>> links.wants(2, np.array([0, 1])).tolist()
    [False, True]
    """

    def __init__(self, count: int, *, most: int | None = None) -> None:
        self.cluster = np.arange(count)
        self._most = None if most is None or count <= most else most
        self._lock = Lock()

    def wants(self, query: int, targets: IntArray) -> BoolArray:
        """Return which targets are in another cluster, as far as the query has to look."""
        own = self.cluster[query]
        others = self.cluster[targets] != own
        if self._most is None or len(targets) <= FEWEST:
            return others
        share = self._most // max(1, np.count_nonzero(self.cluster == own))
        return others & (np.cumsum(others) <= max(FEWEST, share))

    def found(self, query: int, target: int) -> bool:
        """Link the clusters of both sequences."""
        with self._lock:
            self.cluster[self.cluster == self.cluster[target]] = self.cluster[query]
        return False


EVERY_PAIR, BEST_PAIR = EveryPair(), BestPair()
