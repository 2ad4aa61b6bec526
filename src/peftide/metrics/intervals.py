"""Resampled scores → 95 % intervals."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from peftide.metrics.checks import FloatValues
from peftide.metrics.resampling import Replicates, Units
from peftide.metrics.weighted import Name

LEVEL = 0.95
FEWEST_UNITS = 10
FEWEST_DEFINED = 0.9  # share of the resamples in which a score must be defined
BOUNDS = {
    **dict.fromkeys(("mcc", "spearman", "pearson"), (-1.0, 1.0)),
    **dict.fromkeys(("mae", "rmse"), (0.0, np.inf)),
    "r2": (-np.inf, 1.0),
}
"""Score → its lowest and highest value; others lie from 0 to 1."""


@dataclass(frozen=True)
class Interval:
    """Where a score may lie.

    Attributes
    ----------
    low, high
        Ends of the interval, or None where there is none.
    conservative_low, conservative_high
        For pairs: percentiles of the resamples with product weights, which are wider.
    """

    low: float | None = None
    high: float | None = None
    conservative_low: float | None = None
    conservative_high: float | None = None


def no_interval_reason(units: Units) -> str | None:
    """Yield why there can be no interval, or None.

    Examples
    --------
    >>> no_interval_reason(Units(np.array([[0, 1], [1, 2]]), "protein"))
    'only 3 proteins: intervals need 10'
    """
    if units.count >= FEWEST_UNITS:
        return None
    plural = "" if units.count == 1 else "s"
    return f"only {units.count} {units.kind}{plural}: intervals need {FEWEST_UNITS}"


def intervals(
    replicates: Replicates, units: Units, *, of_differences: bool = False
) -> dict[Name, Interval]:
    """Yield the interval of each score.

    The interval is value ± t · √variance, with t the quantile of Student's distribution for one
    degree of freedom less than there are units. For single units the variance is that of the
    resamples. For pairs, product weights count the noise of the pairs three times, so
    variance = V(product weights) − 2 · V(resampled pairs), and at least V(resampled pairs).

    Parameters
    ----------
    replicates
        Of one set of predictions, or of the difference of two (`peftide.metrics.minus`).
    units
        What was drawn.
    of_differences
        The bounds of a score do not bound a difference; and one that never changes has a width
        of zero, while a score that never changes (a perfect one) gets no interval.

    References
    ----------
    Owen, Ann. Appl. Stat. 1, 386-411 (2007), doi 10.1214/07-AOAS122 (the pigeonhole bootstrap).
    """
    quantile = float(student.ppf((1 + LEVEL) / 2, max(units.count - 1, 1)))
    found = {}
    for name, value in replicates.values.items():
        bounds = (-np.inf, np.inf) if of_differences else BOUNDS.get(_plain(name), (0.0, 1.0))
        draws = [of[name] for of in (replicates.by_units, replicates.by_rows) if name in of]
        usable = bool(draws) and np.isfinite(value) and all(map(_mostly_defined, draws))
        deviation = np.sqrt(_variance(draws)) if usable else np.nan
        if not np.isfinite(deviation) or (deviation < 1e-12 and not of_differences):
            found[name] = Interval()
            continue
        low, high = value - quantile * deviation, value + quantile * deviation
        outer = _percentiles(draws[0]) if units.are_pairs else (None, None)
        found[name] = Interval(float(max(low, bounds[0])), float(min(high, bounds[1])), *outer)
    return found


def _plain(name: Name) -> str:
    """Return the last part of a score's name without `macro_`."""
    return name[-1].removeprefix("macro_")


def _mostly_defined(draws: FloatValues) -> bool:
    return len(draws) > 1 and bool(np.isfinite(draws).mean() >= FEWEST_DEFINED)


def _variance(draws: list[FloatValues]) -> float:
    """Return the variance of a score: of single units, or of pairs corrected for their noise."""
    by_units, *by_rows = [float(np.nanvar(values, ddof=1)) for values in draws]
    return max(by_units - 2 * by_rows[0], by_rows[0]) if by_rows else by_units


def _percentiles(draws: FloatValues) -> tuple[float, float]:
    low, high = np.nanquantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
