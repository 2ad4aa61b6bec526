"""Answers and labels of every part → the content of `metrics.json`."""

from collections.abc import Mapping
from typing import Any

from peftide.evaluation.answering import CAVEATS, Answering
from peftide.evaluation.conformal import coverage
from peftide.evaluation.part_scores import MODEL, Answers, PartScores, Resampling, score_rows
from peftide.evaluation.rows import ScoredPart
from peftide.types import FloatArray

FORMAT_VERSION = 2  # 1 did not record the kind of outcome
Others = Mapping[str, Mapping[str, Mapping[str, Answers]]]
"""Key of `metrics.json` ("baselines", "peers") → name → part → answers for the counted rows."""


def evaluate_parts(
    parts: Mapping[str, ScoredPart],
    logits: Mapping[str, FloatArray],
    answering: Answering,
    *,
    others: Others,
    resampling: Resampling,
    error_rate: float | None = None,
) -> dict[str, Any]:
    """Return the scores of a model and others on labelled parts, with intervals.

    Parameters
    ----------
    parts
        Reported name → part.
    logits
        Name → the model's logits of all rows of the part. Shape (R, K).
    answering
        How the logits become answers.
    others
        Baselines and scores of other tools for the same parts.
    error_rate
        Adds the coverage of prediction sets at this error rate.
    """
    outcome, decisions = answering.task.outcome, answering.decisions
    scores = {}
    for name, part in parts.items():
        own = answering.answers(logits[name])[part.targets.counted]
        everyone = {MODEL: Answers(own, decisions.threshold)}
        for group in others.values():
            everyone |= {who: answers[name] for who, answers in group.items()}
        scores[name] = score_rows(part.rows(), everyone, resampling=resampling)
    record = {
        "format_version": FORMAT_VERSION,
        "outcome": outcome.kind,
        "headline": outcome.headline,
        "threshold": decisions.threshold if outcome.uses_threshold else None,
        "calibration": decisions.calibration.summary(),
        **_by_group(scores, {group: list(named) for group, named in others.items()}),
    }
    if error_rate is not None:
        record["conformal"] = {
            name: set_coverage(part, logits[name], answering, error_rate=error_rate)
            for name, part in parts.items()
        }
        record["notes"] += [f"{name}: {CAVEATS[answering.task.level]}" for name in parts]
    return record


def set_coverage(
    part: ScoredPart, logits: FloatArray, answering: Answering, *, error_rate: float
) -> dict[str, Any]:
    """Return the coverage of prediction sets on the rows that enter the scores."""
    counted = part.targets.counted
    sets = answering.sets(logits, error_rate)[counted]
    found = coverage(sets, part.targets.values[counted], answering.labels.class_names)
    return {"error_rate": error_rate} | found


def _by_group(scores: Mapping[str, PartScores], names: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the scores of all parts, grouped by model, baseline or tool."""
    return {
        "splits": {part: found.entries[MODEL] for part, found in scores.items()},
        **{
            group: {
                who: {part: found.entries[who] for part, found in scores.items()} for who in named
            }
            for group, named in names.items()
        },
        "differences": {
            who: {part: found.differences[who] for part, found in scores.items()}
            for named in names.values()
            for who in named
        },
        "intervals": {part: found.interval for part, found in scores.items()},
        "reliability": {
            part: found.reliability for part, found in scores.items() if found.reliability
        },
        "notes": [f"{part}: {note}" for part, found in scores.items() for note in found.notes],
    }
