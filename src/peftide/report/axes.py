"""Sides of a chart that are not linear: equal factors, and words."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from peftide.report.figures import TICKS, Axis

LONGEST_WORD = 10
"""Characters of a word below a chart."""


@dataclass(frozen=True)
class LogAxis(Axis):
    """An axis on which equal factors are equally long."""

    def share(self, values: ArrayLike) -> np.ndarray:
        """Return how far along the axis values stand, 0 to 1."""
        low, high = math.log(self.low), math.log(self.high)
        return np.clip((np.log(np.asarray(values, dtype=np.float64)) - low) / (high - low), 0, 1)

    def ticks(self, count: int = 5) -> list[float]:
        """Return 1, 2 and 5 times powers of ten along the axis, at most about `count`.

        Examples
        --------
        >>> LogAxis("seconds", 8, 130).ticks()
        [10.0, 20.0, 50.0, 100.0]
        """
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for factors in ((1, 2, 5), (1, 3), (1,)):
            found = [factor * 10.0**power for power in powers for factor in factors]
            found = [value for value in found if self.low <= value <= self.high]
            if len(found) <= count:
                return found
        return found


@dataclass(frozen=True)
class Whole(Axis):
    """An axis of whole numbers."""

    def ticks(self, count: int = TICKS) -> list[float]:
        """Return whole numbers along the axis.

        Examples
        --------
        >>> Whole("epoch", 0.5, 3.5).ticks()
        [1.0, 2.0, 3.0]
        """
        return [tick for tick in super().ticks(count) if tick.is_integer()]


@dataclass(frozen=True)
class Places(Axis):
    """An axis with one place per word: word k stands at k."""

    words: tuple[str, ...] = ()

    def ticks(self, count: int = 5) -> list[float]:  # noqa: ARG002 — every word has a tick
        """Return the place of each word."""
        return [float(place) for place in range(len(self.words))]

    def shown(self, tick: float) -> str:
        """Return a word, shortened if there is little room; of a list, each part.

        Examples
        --------
        >>> axis = Places("targets", -0.5, 1.5, ("last_quarter", "query,key,value"))
        >>> axis.shown(0.0), axis.shown(1.0)
        ('last_quar…', 'qu,ke,va')
        """
        word, room = self.words[round(tick)], max(3, min(LONGEST_WORD, 40 // len(self.words)))
        if len(word) <= room:
            return word
        if "," not in word:
            return f"{word[: room - 1]}…"
        fitting = max(1, (room + 1) // (word.count(",") + 1) - 1)
        return _abbreviated(word, next(filter(self._differ, range(fitting, len(word))), len(word)))

    def _differ(self, letters: int) -> bool:
        return len({_abbreviated(word, letters) for word in self.words}) == len(set(self.words))


def _abbreviated(words: str, letters: int) -> str:
    return ",".join(word[:letters] for word in words.split(","))
