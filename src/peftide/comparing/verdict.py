"""The rows of a leaderboard → the result of a comparison in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from peftide.quantities import duration
from peftide.report.summary_forms import BASELINE, TRAINED

ABOUT_AS_MUCH = 1.5
"""Costs that differ by less than this factor are called equal."""
Row = Mapping[str, Any]


def verdict(chosen: str, rows: Sequence[Row]) -> list[str]:
    """Return the choice, its rivals and the best baseline, one sentence each.

    A baseline that is above the choice comes first.

    Parameters
    ----------
    chosen
        Name of the contender that validation chose.
    rows
        The leaderboard, the best first.
    """
    own = next(row for row in rows if row["name"] == chosen)
    rivals = [row for row in rows if row["status"] == TRAINED and row is not own]
    named = said_name(own, rows)
    said = [f"Chosen on validation: {named}."]
    said += [
        f"{said_name(row, rows)} {standing(row, named)} and {relative_cost(row, own)}."
        for row in rivals
    ]
    best = next((row for row in rows if row["status"] == BASELINE), None)
    if best is not None and best.get("verdict"):
        useless = best["verdict"] == "above"
        said.insert(0 if useless else len(said), beside_baseline(said_name(own, rows), best))
    return said


def said_name(row: Row, rows: Sequence[Row]) -> str:
    """Return the method, with its backbone and layer if several are compared.

    Examples
    --------
    >>> row = {"method": "lora", "backbone": "mini", "status": "trained"}
    >>> said_name(row, [row]), said_name(row, [row, {**row, "backbone": "unirep"}])
    ('lora', 'lora on mini')
    """
    if row["status"] == BASELINE:
        return row["method"]
    models = [one for one in rows if one["status"] != BASELINE]
    backbone = f" on {row['backbone']}" if len({one["backbone"] for one in models}) > 1 else ""
    layers = {one.get("layer") for one in models}
    return f"{row['method']}{backbone}" + (f" at layer {row['layer']}" if len(layers) > 1 else "")


def standing(row: Row, chosen: str) -> str:
    """Return how a rival compares with the chosen model, by its name.

    Examples
    --------
    >>> standing({"verdict": "below", "difference": -0.02}, "head")
    'is below head by 0.020'
    >>> standing({"verdict": "spans 0: no evidence of a difference", "difference": 0.01}, "head")
    'is not distinguishable from head (the interval of the difference spans 0)'
    """
    said, gap = row.get("verdict") or "", row.get("difference")
    if said in ("above", "below") and gap is not None:
        return f"is {said} {chosen} by {abs(gap):.3f}"
    reason = said.partition(":")[0]
    reason = f"the interval of the difference {reason}" if reason.startswith("spans") else reason
    return f"is not distinguishable from {chosen} ({reason or 'undefined'})"


def relative_cost(row: Row, own: Row) -> str:
    """Compare the training times of a rival and the chosen model, without what they share.

    Examples
    --------
    >>> relative_cost({"seconds": 120.0}, {"seconds": 30.0})
    'takes 4.0 times as long to train (2 min 0 s)'
    >>> relative_cost({"seconds": 120.0, "backbone": "unirep"}, {"seconds": 30.0})
    'trains in 2 min 0 s'
    """
    if row.get("backbone") != own.get("backbone"):
        return f"trains in {duration(row['seconds'])}"
    ratio = row["seconds"] / max(own["seconds"], 1e-9)
    cost = f"takes {ratio:.1f} times as long to train"
    if 1 / ABOUT_AS_MUCH < ratio < ABOUT_AS_MUCH:
        cost = "takes about as long to train"
    elif ratio < 1:
        cost = f"trains {1 / ratio:.1f} times faster"
    return f"{cost} ({duration(row['seconds'])})"


def beside_baseline(name: str, row: Row) -> str:
    """Return how the chosen model compares with the best baseline.

    Parameters
    ----------
    name
        The chosen model.
    row
        The best baseline.

    Examples
    --------
    >>> beside_baseline("lora", {"method": "kmer", "verdict": "below", "difference": -0.1})
    'lora is above the best baseline, kmer, by 0.100.'
    """
    baseline, gap = row["method"], row["difference"]
    if row["verdict"] == "below":
        return f"{name} is above the best baseline, {baseline}, by {-gap:.3f}."
    if row["verdict"] == "above":
        return f"The baseline {baseline} is above {name} by {gap:.3f}: no model is useful here yet."
    best = f"the best baseline, {baseline}"
    return f"{name} is not distinguishable from {best}: no evidence that it is useful."
