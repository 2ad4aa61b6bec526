"""Scores → the entries of `metrics.json`."""

import math
import re
from collections.abc import Mapping
from typing import Any

from peftide.metrics.intervals import Interval
from peftide.metrics.names import metric_name
from peftide.metrics.weighted import Name
from peftide.quantities import count_of

SHOWN_CLASSES = 5
COUNT = re.compile(r" \(\d+\)")
"""The number in a reason, which differs between classes."""


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
        Result of a function of this stage; `per_class` may hold one mapping per class.
    n
        Number of examples behind the scores.
    intervals
        Intervals by score; ("per_class", class, score) is the interval of a class.
    pairs
        Whether entries have the conservative ends too.

    Returns
    -------
    dict
        Each score as `{"value", "low", "high", "n"}`, for pairs also `"conservative_low"` and
        `"conservative_high"`, and `"reason"` where a defined score has no interval. A whole number
        is a count and never has one. NaN, infinity and the ends of an unknown interval become
        None, which JSON writes as null. Inside `per_class`, `n` is the number of examples that
        carry the class.

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
            # a count, as that of the classes in a macro mean, is a whole number
            known_of = Interval() if isinstance(value, int) else intervals.get(here, Interval())
            record[name] = entry(value, n, known_of, pairs=pairs)
    return record


def entry(
    value: float | int, n: int, interval: Interval, *, pairs: bool
) -> dict[str, float | int | str | None]:
    """Yield one score with its interval, or with the reason why it has none."""
    filled: dict[str, float | int | str | None] = {
        "value": value if math.isfinite(value) else None,
        "low": interval.low,
        "high": interval.high,
        "n": n,
    }
    if pairs:
        filled["conservative_low"] = interval.conservative_low
        filled["conservative_high"] = interval.conservative_high
    if interval.reason is not None:
        filled["reason"] = interval.reason
    return filled


def interval_notes(record: Mapping[str, Any]) -> list[str]:
    """Yield one sentence per reason why scores have no interval.

    Examples
    --------
    >>> found = {"value": 0.7, "n": 3, "reason": "too few positives (3)"}
    >>> interval_notes({"auroc": found, "per_class": {"C2": {"f1": found}}})
    ['no interval for AUROC: too few positives (3)',
     'no interval for some scores of the class C2 (3 rows): too few positives']
    """
    names: dict[str, list[str]] = {}
    for name, found in record.items():
        if "reason" in found:
            names.setdefault(found["reason"], []).append(metric_name(name))
    notes = [f"no interval for {', '.join(given)}: {reason}" for reason, given in names.items()]
    return [*notes, *_class_notes(record.get("per_class", {}))]


def _class_notes(per_class: Mapping[str, Any]) -> list[str]:
    """Yield one sentence per kind of reason why classes lack intervals, with the first classes."""
    classes: dict[str, list[str]] = {}
    for name, scores in per_class.items():
        lacking = next((found for found in scores.values() if "reason" in found), None)
        if lacking is not None:
            reason = COUNT.sub("", lacking["reason"])
            rows = count_of(lacking["n"], "row")
            classes.setdefault(reason, []).append(f"{name} ({rows})")
    notes = []
    for reason, named in classes.items():
        more = f" and {len(named) - SHOWN_CLASSES:,} more" if len(named) > SHOWN_CLASSES else ""
        shown = f"class{'es' if len(named) > 1 else ''} {', '.join(named[:SHOWN_CLASSES])}{more}"
        notes.append(f"no interval for some scores of the {shown}: {reason}")
    return notes
