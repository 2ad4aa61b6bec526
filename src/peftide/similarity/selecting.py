"""The similar pairs that a search has to find: all, one per query, or enough to link clusters."""

from threading import Lock
from typing import Protocol, runtime_checkable

import numpy as np

from peftide.types import BoolArray, IntArray


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

    A pair whose sequences are already linked through others is not aligned. The clusters are the
    same as those of all similar pairs.

    Examples
    --------
    >>> links = Links(3)
    >>> links.found(0, 2)
    False
    >>> links.wants(2, np.array([0, 1])).tolist()
    [False, True]
    """

    def __init__(self, count: int) -> None:
        self.cluster = np.arange(count)
        self._lock = Lock()

    def wants(self, query: int, targets: IntArray) -> BoolArray:
        """Return which targets are in another cluster."""
        return self.cluster[targets] != self.cluster[query]

    def found(self, query: int, target: int) -> bool:
        """Link the clusters of both sequences."""
        with self._lock:
            self.cluster[self.cluster == self.cluster[target]] = self.cluster[query]
        return False


EVERY_PAIR, BEST_PAIR = EveryPair(), BestPair()
