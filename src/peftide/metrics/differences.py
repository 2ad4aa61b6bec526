"""Two sets of predictions of the same rows, resampled alike → how far apart their scores are."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from peftide.metrics.checks import FloatValues
from peftide.metrics.intervals import intervals
from peftide.metrics.record import entry
from peftide.metrics.resampling import Replicates, Units
from peftide.metrics.support import Support
from peftide.metrics.weighted import Name, Statistic

NO_DIFFERENCE = {"prevalence", "macro_classes"}  # the same for all predictions of the same rows
NO_EVIDENCE = "no evidence of a difference"


def minus(first: Replicates, second: Replicates) -> Replicates:
    """Yield the difference of two sets of predictions, resample by resample.

    Examples
    --------
    >>> a = Replicates({("auroc",): 0.75}, {("auroc",): np.array([0.75, 0.5])})
    >>> b = Replicates({("auroc",): 0.5}, {("auroc",): np.array([0.5, 0.5])})
    >>> found = minus(a, b)
    >>> found.values, found.by_units[("auroc",)].tolist()
    ({('auroc',): 0.25}, [0.25, 0.0])
    """
    shared = [
        name for name in first.values if name in second.values and name[0] not in NO_DIFFERENCE
    ]
    return Replicates(
        {name: first.values[name] - second.values[name] for name in shared},
        *(
            {name: one[name] - other[name] for name in shared if name in one}
            for one, other in (
                (first.by_units, second.by_units),
                (first.by_rows, second.by_rows),
            )
        ),
    )


def difference_record(
    difference: Replicates,
    units: Units,
    *,
    n: int,
    support: Mapping[Name, Support] | None = None,
) -> dict[str, Any]:
    """Yield the differences in the shape of `metrics.json`, each with `spans_zero`.

    `spans_zero` is None where a difference has no interval: it is no evidence then. `verdict` says
    the same in words, see `difference_verdict`.

    Parameters
    ----------
    difference
        As `minus` gives it.
    units
        Units that were resampled.
    n
        Number of rows behind the scores.
    support
        As `peftide.metrics.label_support` yields it.
    """
    found = intervals(difference, units, support=support, of_differences=True)
    record = {}
    for name, value in difference.values.items():
        *of_class, score = name
        if of_class:  # only the macro means need it
            continue
        interval = found[name]
        spans = None
        if interval.low is not None and interval.high is not None:
            spans = interval.low <= 0 <= interval.high
        filled = entry(value, n, interval, pairs=units.are_pairs)
        record[score] = filled | {"spans_zero": spans, "verdict": difference_verdict(filled)}
    return record


def difference_verdict(difference: Mapping[str, Any]) -> str:
    """Yield a difference in words: "above", "below", or the reason why it is no evidence.

    Empty if it is undefined. A difference that would be printed as 0.000 is a tie.

    Parameters
    ----------
    difference
        With `value`, and with `low` and `high` if it has an interval.

    Examples
    --------
    >>> difference_verdict({"value": 0.1, "low": 0.02, "high": 0.2})
    'above'
    >>> difference_verdict({"value": 0.1, "low": -0.02, "high": 0.2})
    'spans 0: no evidence of a difference'
    >>> difference_verdict({"value": 0.0003, "low": 0.0001, "high": 0.0004})
    'equal to three digits: no evidence of a difference'
    """
    value, low, high = (difference.get(key) for key in ("value", "low", "high"))
    if value is None or not math.isfinite(value):
        return ""
    if round(value, 3) == 0:
        return f"equal to three digits: {NO_EVIDENCE}"
    if low is None or high is None:
        return f"no interval: {NO_EVIDENCE}"
    if low <= 0 <= high:
        return f"spans 0: {NO_EVIDENCE}"
    return "above" if value > 0 else "below"


def seed_average(statistics: Sequence[Statistic]) -> Statistic:
    """Yield the mean score of several trainings: they are averaged inside each resample.

    Examples
    --------
    >>> ones, twos = (lambda weights, k=k: {("a",): weights[:, 0] * k} for k in (1, 2))
    >>> seed_average([ones, twos])(np.ones((1, 1)))[("a",)].tolist()
    [1.5]
    """

    def averaged(weights: FloatValues) -> dict[Name, FloatValues]:
        found = [statistic(weights) for statistic in statistics]
        return {name: np.mean([scores[name] for scores in found], axis=0) for name in found[0]}

    return averaged


def seed_spread(values: Sequence[float]) -> float:
    """Yield the standard deviation of a score between trainings; NaN of a single one.

    Examples
    --------
    >>> seed_spread([0.5, 0.75, 1.0])
    0.25
    """
    return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
