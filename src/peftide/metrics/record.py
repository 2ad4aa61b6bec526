"""Scores → the entries of `metrics.json`."""

import math
from collections.abc import Mapping
from typing import Any


def as_record(metrics: Mapping[str, Any], n: int) -> dict[str, Any]:
    """Yield the scores in the shape of `metrics.json`.

    Parameters
    ----------
    metrics
        What a function of this stage returned; `per_class` may hold one mapping per class.
    n
        Number of examples behind the scores.

    Returns
    -------
    dict
        Each score as `{"value", "low", "high", "n"}`. NaN and infinity become None, which JSON
        writes as null; `low` and `high` are None, as no interval has been computed. Inside
        `per_class`, `n` is the number of examples that carry the class.

    Examples
    --------
    >>> as_record({"auroc": float("nan")}, 3)
    {'auroc': {'value': None, 'low': None, 'high': None, 'n': 3}}
    """
    return {
        name: _class_records(value) if isinstance(value, Mapping) else _entry(value, n)
        for name, value in metrics.items()
    }


def _class_records(per_class: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return one record per class; each class's own `n` moves into its entries."""
    return {
        name: as_record({key: scores[key] for key in scores if key != "n"}, scores["n"])
        for name, scores in per_class.items()
    }


def _entry(value: float | int, n: int) -> dict[str, float | int | None]:
    """Return one score with the place for its interval."""
    return {"value": value if math.isfinite(value) else None, "low": None, "high": None, "n": n}
