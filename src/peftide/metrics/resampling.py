"""Scores of rows → scores of many resamples of the proteins or clusters behind the rows.

Rows that share a protein are not independent, so the proteins are resampled, with
replacement. A pair weighs the product of how often its two proteins were drawn.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
from threadpoolctl import threadpool_limits

from peftide.metrics.checks import FloatValues, IntValues
from peftide.metrics.weighted import Name, Statistic

REPLICATES = 1000
FEWEST_REPLICATES = 200
WORK = 4e8  # weights that are looked at; above it there are fewer replicates
BLOCK = 65_536  # weights held at a time, so that they stay in the processor's cache


@dataclass(frozen=True)
class Units:
    """The units that are resampled, and the units of each row.

    Attributes
    ----------
    members
        The units behind each row, as numbers: one, or for a pair of proteins two. Shape (R, A).
    kind
        What a unit is: protein, cluster or sequence.
    """

    members: IntValues
    kind: str

    @cached_property
    def numbers(self) -> IntValues:
        """The same units, numbered from 0 without a gap. Shape (R, A)."""
        return np.unique(self.members, return_inverse=True)[1].reshape(self.members.shape)

    @cached_property
    def count(self) -> int:
        """Number of distinct units."""
        return int(self.numbers.max()) + 1 if self.members.size else 0

    @property
    def are_pairs(self) -> bool:
        """Whether a row stands for two units."""
        return self.members.shape[1] == 2


@dataclass(frozen=True)
class Replicates:
    """The scores of one set of predictions, and of its resamples.

    Attributes
    ----------
    values
        Score → its value on the rows as they are.
    by_units
        Score → its value in each resample of the units. Shape (S,).
    by_rows
        Score → its value in each resample of the rows; only of pairs, else empty. Shape (S,).
    """

    values: dict[Name, float]
    by_units: dict[Name, FloatValues] = field(default_factory=dict)
    by_rows: dict[Name, FloatValues] = field(default_factory=dict)


def resample(
    statistics: Mapping[str, Statistic],
    units: Units,
    *,
    seed: int = 0,
    replicates: int = REPLICATES,
    threads: int | None = None,
    advance: Callable[[float], None] = lambda _resamples: None,
) -> dict[str, Replicates]:
    """Yield the scores of several predictions in the same resamples, so that they can be compared.

    Parameters
    ----------
    statistics
        Name of each set of predictions → its `Statistic` (see `peftide.metrics.weighted`).
    units
        The units to resample.
    seed
        Seed of the draws.
    replicates
        Resamples of the units, and for pairs as many of the rows.
    threads
        Threads that compute blocks of resamples; None: one per processor. They change no number.
    advance
        Called with the number of resamples that were just scored.

    Examples
    --------
    >>> mean = lambda weights: {("mean",): weights @ np.arange(4.0) / weights.sum(axis=1)}
    >>> units = Units(np.arange(4)[:, None], "sequence")
    >>> found = resample({"a": mean}, units, replicates=500)["a"]
    >>> found.values, found.by_units[("mean",)].shape
    ({('mean',): 1.5}, (500,))
    """
    rows = len(units.members)
    whole = {name: unresampled(of, rows).values for name, of in statistics.items()}
    draw = partial(_draw, statistics, count=replicates, threads=threads, advance=advance)
    by_units = draw(units.numbers, seed=seed)
    by_rows: dict[str, dict[Name, FloatValues]] = {}
    if units.are_pairs:
        by_rows = draw(np.arange(rows)[:, None], seed=seed + 1)
    return {
        name: Replicates(whole[name], by_units[name], by_rows.get(name, {})) for name in statistics
    }


def unresampled(statistic: Statistic, rows: int) -> Replicates:
    """Yield the scores of rows as they are, without resamples.

    Examples
    --------
    >>> unresampled(lambda weights: {("rows",): weights.sum(axis=1)}, 3).values
    {('rows',): 3.0}
    """
    scores = statistic(np.ones((1, rows)))
    return Replicates({name: float(values[0]) for name, values in scores.items()})


def replicates_within(rows: int, scores_per_row: int) -> int:
    """Yield how many resamples are made of so many rows: 1,000, fewer of very many.

    Examples
    --------
    >>> replicates_within(52_048, 1), replicates_within(1_000_000, 8)
    (1000, 200)
    """
    affordable = int(WORK / max(rows * scores_per_row, 1))
    return int(np.clip(affordable, FEWEST_REPLICATES, REPLICATES))


def unit_weights(numbers: IntValues) -> Callable[[np.random.Generator, FloatValues], None]:
    """Yield a function that fills an array with the weights of one resample of the units.

    A row of one unit weighs how often that was drawn, a pair the product of both; a pair of a
    unit with itself is one unit, so it weighs like one.

    Parameters
    ----------
    numbers
        The units behind each row, numbered from 0 without a gap. Shape (R, A).
    """
    count = int(numbers.max()) + 1
    first, second = np.ascontiguousarray(numbers[:, 0]), np.ascontiguousarray(numbers[:, -1])
    alone = np.flatnonzero(first == second) if numbers.shape[1] == 2 else None

    def fill(generator: np.random.Generator, weights: FloatValues) -> None:
        drawn = np.bincount(generator.integers(count, size=count, dtype=np.int32), minlength=count)
        drawn = drawn.astype(np.float64)
        drawn.take(first, out=weights)
        if alone is not None:
            weights *= drawn.take(second)
            weights[alone] = drawn[first[alone]]

    return fill


def _draw(
    statistics: Mapping[str, Statistic],
    numbers: IntValues,
    *,
    seed: int,
    count: int,
    threads: int | None,
    advance: Callable[[float], None],
) -> dict[str, dict[Name, FloatValues]]:
    """Return name → score → its value in each of `count` resamples of numbered units.

    Threads compute blocks side by side, each with its own generator, so that the number of threads
    changes nothing. The products inside are small: BLAS threads would only spin.
    """
    fill, rows = unit_weights(numbers), len(numbers)

    def block(numbered: tuple[int, int]) -> dict[str, dict[Name, FloatValues]]:
        number, size = numbered
        generator = np.random.default_rng((seed, number))
        weights = np.empty((size, rows))
        for one in weights:
            fill(generator, one)
        weights = weights[weights.sum(axis=1) > 0]  # no pair may be left of a few proteins
        return {name: statistic(weights) for name, statistic in statistics.items()}

    sizes = list(_block_sizes(rows, count))
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        blocks = []
        for size, found in zip(sizes, pool.map(block, enumerate(sizes)), strict=True):
            blocks.append(found)
            advance(size)
    return {
        name: {
            score: np.concatenate([found[name][score] for found in blocks])
            for score in blocks[0][name]
        }
        for name in statistics
    }


def _block_sizes(rows: int, count: int) -> Iterator[int]:
    size = max(1, min(count, BLOCK // rows))
    yield from [size] * (count // size)
    if count % size:
        yield count % size
