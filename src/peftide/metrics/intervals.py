"""Resampled scores → 95 % intervals."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit, logit, stdtrit

from peftide.metrics.checks import FloatValues
from peftide.metrics.resampling import Replicates, Units
from peftide.metrics.support import Support
from peftide.metrics.weighted import Name

LEVEL = 0.95
FEWEST_UNITS = 10
FEWEST_CARRIERS = 5  # units with positives (or negatives) that an interval needs
FEWEST_DEFINED = 0.9  # share of the resamples in which a score must be defined
MACRO = "macro_"
MICRO = "micro_"
OF_ALL_ROWS = {"accuracy", "brier", "prevalence"}  # estimated from positives and negatives alike
BOUNDS = {
    **dict.fromkeys(("mcc", "spearman", "pearson"), (-1.0, 1.0)),
    **dict.fromkeys(("mae", "rmse"), (0.0, np.inf)),
    "r2": (-np.inf, 1.0),
    "deletion_lead": (-np.inf, np.inf),
}
"""Score → its lowest and highest value; others lie from 0 to 1."""


@dataclass(frozen=True)
class Interval:
    """Range in which the true score lies.

    Attributes
    ----------
    low, high
        Ends of the interval, or None where there is none.
    conservative_low, conservative_high
        For pairs: percentiles of the resamples with product weights. They hold the interval.
    reason
        Why a defined score has no interval.
    """

    low: float | None = None
    high: float | None = None
    conservative_low: float | None = None
    conservative_high: float | None = None
    reason: str | None = None


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
    replicates: Replicates,
    units: Units,
    *,
    support: Mapping[Name, Support] | None = None,
    of_differences: bool = False,
) -> dict[Name, Interval]:
    """Yield the interval of each score.

    Let k be the number of units behind a score: the units with positives or the units with
    negatives, whichever are fewer (recall: positives; specificity: negatives; other scores: all
    units). The standard error is √(variance · k / (k − 1)), and the interval spans ± t standard
    errors, with t the quantile of Student's distribution with k − 1 degrees of freedom. A score
    with two bounds is moved to log odds of its range first: ± t · error / (p · (1 − p)) around
    log(p / (1 − p)), where p is the share of the range below the score. Below 5 units with
    positives (or negatives) there is no interval.

    For single units, the variance is the variance of the resamples. For pairs, product weights
    count the noise of the pairs three times, so variance = V(product weights) −
    2 · V(resampled pairs), and at least V(resampled pairs).

    A macro mean adds up the errors of its classes, with the degrees of freedom after Satterthwaite.
    A class with k < 5 carriers of positives (or negatives) enters with at least v / k, where v is
    the variance of one carrier, averaged over the classes with two or more. A macro mean without
    any class of 5 has no interval.

    Parameters
    ----------
    replicates
        Resamples of one set of predictions, or of the difference of two (`peftide.metrics.minus`).
    units
        Units that were resampled.
    support
        As `peftide.metrics.label_support` yields it; nothing for continuous labels.
    of_differences
        A difference may be as large as the range of its score, and stays on its own scale.

    References
    ----------
    Owen, Ann. Appl. Stat. 1, 386-411 (2007), doi 10.1214/07-AOAS122 (the pigeonhole bootstrap).
    Satterthwaite, Biometrics Bull. 2, 110-114 (1946), doi 10.2307/3002019.
    """
    of = _Behind(replicates, units, support or {}, of_differences)
    return {name: _interval(name, of) for name in replicates.values}


@dataclass(frozen=True)
class _Behind:
    """The resamples and units behind the scores of one set of predictions."""

    replicates: Replicates
    units: Units
    support: Mapping[Name, Support]
    of_differences: bool
    variances: dict[Name, float] = field(default_factory=dict)

    def variance(self, name: Name) -> float:
        """Return the variance of a score; a macro mean needs the variances of its classes."""
        if name not in self.variances:
            self.variances[name] = _variance(self.draws(name))
        return self.variances[name]

    def draws(self, name: Name) -> list[FloatValues]:
        """Return the values of a score in the resamples of units, and of pairs."""
        sources = (self.replicates.by_units, self.replicates.by_rows)
        return [source[name] for source in sources if name in source]

    def count(self, name: Name) -> tuple[int, str]:
        """Return the number of units behind a score, and the phrase for them."""
        is_micro = len(name) == 1 and name[0].startswith(MICRO)
        found = self.support.get((MICRO.strip("_"),) if is_micro else name[:-1])
        if found is None or name[-1] in OF_ALL_ROWS:
            return self.units.count, f"{self.units.kind}s"
        both = [(found.positives, "positives"), (found.negatives, "negatives")]
        needed = {"recall": both[:1], "specificity": both[1:]}.get(name[-1], both)
        count, label = min(needed)
        return count, f"{found.wording}{label}"

    def bounds(self, name: Name) -> tuple[float, float]:
        """Return the lowest and the highest value of a score."""
        low, high = BOUNDS.get(name[-1].removeprefix(MACRO), (0.0, 1.0))
        return (low - high, high - low) if self.of_differences else (low, high)


def _interval(name: Name, of: _Behind) -> Interval:
    value, draws = of.replicates.values[name], of.draws(name)
    if not draws or not np.isfinite(value):
        return Interval()
    reason = _why_none(name, of, draws)
    if reason is not None:
        return Interval(reason=reason)
    variance, freedom = _macro_error(name, of) if _is_macro(name, of) else _error(name, of)
    half = float(stdtrit(freedom, (1 + LEVEL) / 2)) * np.sqrt(variance)
    if name[-1] == "r2" and not of.of_differences and value < 0 and value + half >= 1:
        return Interval(reason="it would reach from a useless to a perfect score")
    low, high = _ends(value, half, of.bounds(name), on_odds=not of.of_differences)
    if not of.units.are_pairs:
        return Interval(low, high)
    lower, upper = _percentiles(draws[0])  # close to a bound, percentiles may be narrower
    return Interval(low, high, min(low, lower), max(high, upper))


def _why_none(name: Name, of: _Behind, draws: list[FloatValues]) -> str | None:
    """Return why a score has no interval, or None."""
    count, label = of.count(name)
    if _is_macro(name, of):
        count, label = _largest_class(of)
    if count < FEWEST_CARRIERS:
        if label == EVERY_CLASS:
            return f"every class has {count} or fewer rows: an interval needs {FEWEST_CARRIERS}"
        return f"too few {label} ({count}): an interval needs {FEWEST_CARRIERS} or more"
    if not all(map(_mostly_defined, draws)):
        return "undefined in more than a tenth of the resamples"
    # mcc hardly varies between resamples of positives that are all missed
    misses_all = name[-1] == "mcc" and of.replicates.values.get((*name[:-1], "f1")) == 0
    if misses_all and not of.of_differences:
        return "no positive is predicted as one"
    if of.variance(name) < 1e-24:
        return "no resample changes the score"
    return (
        "the score is the best or worst possible"
        if of.replicates.values[name] in of.bounds(name)
        else None
    )


def _mostly_defined(draws: FloatValues) -> bool:
    return len(draws) > 1 and bool(np.isfinite(draws).mean() >= FEWEST_DEFINED)


def _variance(draws: list[FloatValues]) -> float:
    """Return the variance of a score: of single units, or of pairs corrected for their noise."""
    by_units, *by_rows = [
        float(np.var(values[np.isfinite(values)], ddof=1)) if np.isfinite(values).sum() > 1 else 0.0
        for values in draws
    ]
    return max(by_units - 2 * by_rows[0], by_rows[0]) if by_rows else by_units


def _error(name: Name, of: _Behind) -> tuple[float, float]:
    """Return the squared standard error of a score, and its degrees of freedom."""
    count = max(of.count(name)[0], 2)
    return of.variance(name) * count / (count - 1), count - 1


def _is_macro(name: Name, of: _Behind) -> bool:
    return name[-1].startswith(MACRO) and bool(of.support)


def _entering(of: _Behind) -> dict[Name, Support]:
    """Return the classes that enter a macro mean: they have positives and negatives."""
    by_class = {path: one for path, one in of.support.items() if path[:1] == ("per_class",)}
    return {path: one for path, one in by_class.items() if one.positives and one.negatives}


EVERY_CLASS = "every class"


def _largest_class(of: _Behind) -> tuple[int, str]:
    counts = [min(one.positives, one.negatives) for one in _entering(of).values()]
    return max(counts, default=0), EVERY_CLASS


def _macro_error(name: Name, of: _Behind) -> tuple[float, float]:
    """Return the squared standard error of a mean over classes, and its degrees of freedom."""
    classes = _entering(of)
    counts = np.array([min(one.positives, one.negatives) for one in classes.values()])
    spare = np.maximum(counts - 1, 1)
    raw = np.array([of.variance((*path, name[-1].removeprefix(MACRO))) for path in classes])
    errors = raw * np.maximum(counts, 2) / spare
    typical = float(np.mean((errors * counts)[counts > 1]))  # variance of one carrier
    errors = np.where(counts < FEWEST_CARRIERS, np.maximum(errors, typical / counts), errors)
    parts = errors / len(classes) ** 2
    total = of.variance(name) + float(parts.sum() - raw.sum() / len(classes) ** 2)
    weighed = float((parts**2 / spare).sum())
    freedom = total**2 / weighed if weighed > 0 else np.inf
    return total, min(freedom, of.units.count - 1)


def _ends(
    value: float, half: float, bounds: tuple[float, float], *, on_odds: bool
) -> tuple[float, float]:
    """Return value ± half, on the scale of log odds where a score has two bounds."""
    low, high = bounds
    if not (on_odds and np.isfinite(high - low)):
        return float(max(value - half, low)), float(min(value + half, high))
    share = (value - low) / (high - low)
    moved = half / (high - low) / (share * (1 - share))
    ends = low + (high - low) * expit(logit(share) + np.array([-moved, moved]))
    return float(ends[0]), float(ends[1])


def _percentiles(draws: FloatValues) -> tuple[float, float]:
    low, high = np.nanquantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
