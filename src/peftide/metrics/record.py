"""Scores → the entries of `metrics.json`."""

import math
from collections.abc import Mapping
from typing import Any

from peftide.metrics.intervals import Interval
from peftide.metrics.weighted import Name


def as_record(
    metrics: Mapping[str, Any],
    n: int,
    intervals: Mapping[Name, Interval] | None = None,
    *,
    pairs: bool = False,
) -> dict[str, Any]:
    """Yield the scores in the shape of `metrics.json`.

    Parameters
    ----------
    metrics
        What a function of this stage returned; `per_class` may hold one mapping per class.
    n
        Number of examples behind the scores.
    intervals
        Of the scores that have one; ("per_class", class, score) names that of a class.
    pairs
        Whether entries have the conservative ends too.

    Returns
    -------
    dict
        Each score as `{"value", "low", "high", "n"}`, of pairs also `"conservative_low"` and
        `"conservative_high"`. NaN and infinity become None, which JSON writes as null, and so do
        the ends of an interval that is not known. Inside `per_class`, `n` is the number of
        examples that carry the class.

    Examples
    --------
    >>> as_record({"auroc": float("nan")}, 3)
    {'auroc': {'value': None, 'low': None, 'high': None, 'n': 3}}
    """
    return _records(metrics, n, (intervals or {}, ()), pairs=pairs)


def _records(
    metrics: Mapping[str, Any],
    n: int,
    known: tuple[Mapping[Name, Interval], Name],
    *,
    pairs: bool,
) -> dict[str, Any]:
    """Return one entry per score, whose intervals are known under names that begin alike."""
    intervals, path = known
    record = {}
    for name, value in metrics.items():
        here = (*path, name)
        if isinstance(value, Mapping):
            # `per_class`, or a class, whose own `n` moves into its entries
            scores = {key: found for key, found in value.items() if key != "n"}
            record[name] = _records(scores, value.get("n", n), (intervals, here), pairs=pairs)
        else:
            record[name] = entry(value, n, intervals.get(here, Interval()), pairs=pairs)
    return record


def entry(
    value: float | int, n: int, interval: Interval, *, pairs: bool
) -> dict[str, float | int | None]:
    """Yield one score with its interval."""
    filled: dict[str, float | int | None] = {
        "value": value if math.isfinite(value) else None,
        "low": interval.low,
        "high": interval.high,
        "n": n,
    }
    if pairs:
        filled["conservative_low"] = interval.conservative_low
        filled["conservative_high"] = interval.conservative_high
    return filled
