"""The form of a baseline: how it is fitted on train, and loaded from its stored numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from peftide.outcomes import OUTCOMES
from peftide.types import FloatArray, IntArray, Level


@runtime_checkable
class Fitted(Protocol):
    """A baseline fitted on the training part."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Yield all its numbers, by name."""
        ...


@runtime_checkable
class FittedOnProteins(Fitted, Protocol):
    """A fitted baseline that answers rows of one or two proteins."""

    def predict(self, sequences: Sequence[str], members: IntArray) -> FloatArray:
        """Yield a probability (B,), probabilities (B, K) or a value (B,) per row."""
        ...


@dataclass(frozen=True)
class Baseline:
    """One shortcut, as one value in `BASELINES`.

    Attributes
    ----------
    title
        Its information, in a few words for the report.
    fit
        (sequences, members, targets, kind=) → `Fitted`; of residues (sequences, classes, n).
    load
        (arrays, kind=, proteins_per_example=) → `Fitted`.
    levels, kinds
        The labels that it can answer; kinds are keys of `OUTCOMES`.
    applies, needs
        (train sequences) → whether it applies to them; and the sequences that it needs, in words.
    reads_scores
        Whether `fit` reads `scores=` of substitutions, which a language model gives for variants of
        one protein.
    """

    title: str
    fit: Callable[..., Any]
    load: Callable[..., Any]
    levels: tuple[Level, ...] = ("pair", "sequence")
    kinds: tuple[str, ...] = tuple(OUTCOMES)
    applies: Callable[[Sequence[str]], bool] = bool
    needs: str = "sequences"
    reads_scores: bool = False

    def suits(self, level: Level, kind: str) -> bool:
        """Yield whether it can answer such labels."""
        return level in self.levels and kind in self.kinds
