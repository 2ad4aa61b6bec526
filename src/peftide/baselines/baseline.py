"""What a baseline is: how it is fitted on train, and opened again from its numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from peftide.baselines.checks import Kind
from peftide.types import FloatArray, IntArray, Level


@runtime_checkable
class Fitted(Protocol):
    """What a baseline knows of the training part."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Yield all of it, by name."""
        ...


@runtime_checkable
class FittedOnProteins(Fitted, Protocol):
    """One that answers rows of one or two proteins."""

    def predict(self, sequences: Sequence[str], members: IntArray) -> FloatArray:
        """Yield a probability (B,), probabilities (B, K) or a value (B,) per row."""
        ...


@dataclass(frozen=True)
class Baseline:
    """One shortcut, as one value in `BASELINES`.

    Attributes
    ----------
    summary
        What it knows, in a few words.
    fit
        (sequences, members, targets, kind=) → `Fitted`; of residues (sequences, classes, n).
    load
        (arrays, kind=, proteins_per_example=) → `Fitted`.
    levels, kinds
        What it can answer.
    """

    summary: str
    fit: Callable[..., Any]
    load: Callable[..., Any]
    levels: tuple[Level, ...] = ("pair", "sequence")
    kinds: tuple[Kind, ...] = ("binary", "categorical", "multilabel", "continuous")

    def suits(self, level: Level, kind: Kind) -> bool:
        """Yield whether it can answer such labels."""
        return level in self.levels and kind in self.kinds
