"""Answers of baselines and other tools → `curves.tsv`, from which a report draws their curves."""

from collections.abc import Mapping

import pandas as pd

from peftide.evaluation.part_scores import Answers
from peftide.evaluation.rows import ScoredPart
from peftide.metrics import CURVES, curve_points

COLUMNS = ("split", "name", "curve", "x", "y")
MOST_POINTS = 200
DIGITS = 4


def curve_table(
    parts: Mapping[str, ScoredPart], others: Mapping[str, Mapping[str, Answers]]
) -> pd.DataFrame:
    """Return at most 200 points per part, name and curve; no rows for labels of other kinds.

    Parameters
    ----------
    parts
        Reported name → part.
    others
        Name → part → answers for the rows that enter the scores.
    """
    tables = [
        _curves(part, answers[name]).assign(split=name, name=who)
        for name, part in parts.items()
        if set(CURVES) <= set(part.task.outcome.shown.figures)
        for who, answers in others.items()
    ]
    empty = pd.DataFrame(columns=list(COLUMNS))
    found = [table for table in tables if len(table)]
    return pd.concat(found).reindex(columns=list(COLUMNS)) if found else empty


def _curves(part: ScoredPart, answers: Answers) -> pd.DataFrame:
    labels = part.targets.values[part.targets.counted, 0]
    if not 0 < labels.sum() < len(labels):
        return pd.DataFrame()
    points = {
        curve: curve_points(curve, labels, answers.values, most=MOST_POINTS) for curve in CURVES
    }
    tables = [pd.DataFrame({"curve": curve, "x": x, "y": y}) for curve, (x, y) in points.items()]
    return pd.concat(tables).round(DIGITS)
