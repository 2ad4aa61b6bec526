"""Sizes of packed batches and seconds measured on some of them → seconds of all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from peftide.types import FloatArray, IntArray


@dataclass(frozen=True)
class Seconds:
    """A time by both clocks: of a machine that is shared, only the first says what work costs."""

    cpu: float = 0.0
    wall: float = 0.0

    def __add__(self, other: "Seconds") -> "Seconds":
        """Return the time of both."""
        return Seconds(self.cpu + other.cpu, self.wall + other.wall)

    def __mul__(self, times: float) -> "Seconds":
        """Return the time of several."""
        return Seconds(self.cpu * times, self.wall * times)


@dataclass(frozen=True)
class Load:
    """How much work some packed batches are.

    Attributes
    ----------
    batches, tokens
        How many.
    squares
        Σ tokens² over the sequences: what attention costs.
    calls
        Calls of attention in each layer: one for neighbours of equal length.
    """

    batches: float = 0.0
    tokens: float = 0.0
    squares: float = 0.0
    calls: float = 0.0

    def __add__(self, other: "Load") -> "Load":
        """Return the work of both."""
        return Load(*(self.values() + other.values()))

    def __mul__(self, times: float) -> "Load":
        """Return the work of several."""
        return Load(*(self.values() * times))

    def values(self) -> FloatArray:
        """Return the four sizes."""
        return np.array([self.batches, self.tokens, self.squares, self.calls])


def load_of(lengths: IntArray, batches: Iterable[IntArray]) -> Load:
    """Return the work of batches of sequences.

    Parameters
    ----------
    lengths
        Tokens of each sequence. Shape (P,).
    batches
        Indices of the sequences of each batch.

    Examples
    --------
    >>> load_of(np.array([3, 3, 5]), [np.array([0, 1]), np.array([2])])
    Load(batches=2.0, tokens=11.0, squares=43.0, calls=2.0)
    """
    total = np.zeros(4)
    for batch in batches:
        tokens = lengths[batch].astype(np.float64)
        total += [1, tokens.sum(), (tokens**2).sum(), len(np.unique(tokens))]
    return Load(*map(float, total))


@dataclass(frozen=True)
class Cost:
    """Seconds per unit of each size of some work, none of them negative.

    Attributes
    ----------
    coefficients
        CPU seconds per unit.
    wall_per_cpu
        Seconds on the clock for one CPU second, as the machine was.
    """

    coefficients: FloatArray
    wall_per_cpu: float

    def of(self, sizes: FloatArray) -> Seconds:
        """Return the time of some work."""
        cpu = float(self.coefficients @ sizes)
        return Seconds(cpu, cpu * self.wall_per_cpu)

    def __mul__(self, times: float) -> "Cost":
        """Return the cost of doing everything several times, for instance in as many layers."""
        return Cost(self.coefficients * times, self.wall_per_cpu)


def fit_cost(sizes: Sequence[FloatArray], measured: Sequence[Seconds]) -> Cost:
    """Return the cost that explains some measurements best, each by its relative error.

    Examples
    --------
    >>> works = [np.array([1.0, 10.0]), np.array([1.0, 20.0])]
    >>> cost = fit_cost(works, [Seconds(3, 6), Seconds(5, 10)])
    >>> cost.of(np.array([1.0, 100.0]))
    Seconds(cpu=21.0, wall=42.0)
    """
    design, cpu = np.stack(sizes), np.array([seconds.cpu for seconds in measured])
    units = np.maximum(design.max(axis=0), 1e-12)  # of like size, for the solver
    weights = 1 / np.maximum(cpu, 1e-9)
    found, _ = nnls(design / units * weights[:, None], cpu * weights)
    wall = sum(seconds.wall for seconds in measured)
    ratio = wall / max(sum(cpu), 1e-9)
    return Cost(np.round(found, 12) / units, float(ratio))
