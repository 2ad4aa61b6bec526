"""Answers of the model and others for one part → entries of `metrics.json`, with intervals."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from peftide.evaluation.decisions import DEFAULT_THRESHOLD
from peftide.evaluation.rows import LabelledRows
from peftide.metrics import (
    LEVEL,
    Replicates,
    Statistic,
    as_record,
    difference_record,
    interval_notes,
    intervals,
    metric_name,
    minus,
    no_interval_reason,
    reliability_curve,
    repeated,
    replicates_within,
    resample,
)
from peftide.metrics.checks import FloatValues
from peftide.metrics.weighted import Name
from peftide.progress import meter
from peftide.quantities import count_of
from peftide.types import FloatArray, IntArray

MODEL = "model"
SLOW_REPLICATES = 200
SHOWN_CLASSES = 5


@dataclass(frozen=True)
class Answers:
    """Answers of the model, a baseline or another tool for labelled rows.

    Attributes
    ----------
    values
        Probability, probabilities or value of each row. Shape (R,) or (R, K).
    threshold
        Lowest probability that is predicted as positive; None for scores that only rank rows.
    """

    values: FloatArray
    threshold: float | None = DEFAULT_THRESHOLD


@dataclass(frozen=True)
class Resampling:
    """Settings of the resamples behind the intervals.

    Attributes
    ----------
    seed
        Seed of the resamples.
    threads
        CPU threads; None takes all cores. They do not change the results.
    """

    seed: int = 0
    threads: int | None = None


@dataclass
class PartScores:
    """Scores of one part.

    Attributes
    ----------
    entries
        Name of the model, baseline or tool → its entries in `metrics.json`.
    differences
        Name of the baseline or tool → entries of the model's lead over it.
    interval
        The resampled units, and the number of resamples.
    reliability
        Bins of the model's probability of positives; empty for other answers.
    notes
        Scores that are undefined or have no interval, and why; classes that the model never finds.
    """

    entries: dict[str, dict[str, Any]]
    differences: dict[str, dict[str, Any]]
    interval: dict[str, Any]
    reliability: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def score_rows(
    rows: LabelledRows, answers: Mapping[str, Answers], *, resampling: Resampling
) -> PartScores:
    """Return the scores of everyone who answered, and the model's lead over the others.

    Parameters
    ----------
    answers
        Name → answers; the model comes first, under the name `MODEL`.
    """
    n, pairs = len(rows.values), rows.units.are_pairs
    metrics = {name: _metrics(rows, given) for name, given in answers.items()}
    reason = no_interval_reason(rows.units)
    found = {} if reason else _resampled(rows, answers, resampling)
    support = rows.support()
    known = {name: intervals(of, rows.units, support=support) for name, of in found.items()}
    entries = {
        name: as_record(scores, n, known.get(name), pairs=pairs) for name, scores in metrics.items()
    }
    differences = {
        name: difference_record(_lead(name, metrics, found), rows.units, n=n, support=support)
        for name in answers
        if name != MODEL
    }
    model = answers[MODEL].values
    return PartScores(
        entries,
        differences,
        _interval_record(rows, found, reason),
        reliability_curve(rows.values[:, 0], model) if rows.task.outcome.reliability else [],
        [
            *_undefined(rows, metrics[MODEL]),
            *_unfound(metrics[MODEL]),
            *([f"no intervals: {reason}"] if reason else interval_notes(entries[MODEL])),
        ],
    )


def _metrics(rows: LabelledRows, given: Answers) -> dict[str, Any]:
    outcome = rows.task.outcome
    cut = DEFAULT_THRESHOLD if given.threshold is None else given.threshold
    found = outcome.metrics(rows.values, given.values, rows.labels, threshold=cut)
    return {name: value for name, value in found.items() if _applies(name, rows, given)}


def _applies(score: str, rows: LabelledRows, given: Answers) -> bool:
    """Return whether a score can be computed; without a threshold, only ranking scores can."""
    ranking = rows.task.outcome.ranking
    return given.threshold is not None or not ranking or score in ranking


def _resampled(
    rows: LabelledRows, answers: Mapping[str, Answers], resampling: Resampling
) -> dict[str, Replicates]:
    statistics = {name: statistic(rows, given) for name, given in answers.items()}
    count = replicates_within(len(rows.values), rows.values.shape[1] * len(answers))
    if rows.task.outcome.statistic is None:
        count = SLOW_REPLICATES
    draws = count * rows.units.members.shape[1]  # of pairs: of their proteins, and of the pairs
    with meter("intervals", total=draws, unit="resamples") as progress:
        return resample(
            statistics,
            rows.units,
            seed=resampling.seed,
            replicates=count,
            threads=resampling.threads,
            advance=progress.advance,
        )


def statistic(rows: LabelledRows, given: Answers) -> Statistic:
    """Return the scores of answers as a function of the weights of the rows."""
    weighted = rows.task.outcome.statistic
    if weighted is None:
        return repeated(lambda chosen: _metrics(*_selected(rows, given, chosen)))
    cut = DEFAULT_THRESHOLD if given.threshold is None else given.threshold
    whole = weighted(rows.values, given.values, rows.labels.class_names, threshold=cut)

    def scores(weights: FloatValues) -> dict[Name, FloatValues]:
        found = whole(weights)
        return {name: value for name, value in found.items() if _applies(name[0], rows, given)}

    return scores


def _selected(rows: LabelledRows, given: Answers, chosen: IntArray) -> tuple[LabelledRows, Answers]:
    return (
        replace(rows, values=rows.values[chosen]),
        replace(given, values=given.values[chosen]),
    )


def _lead(
    name: str, metrics: Mapping[str, dict[str, Any]], found: Mapping[str, Replicates]
) -> Replicates:
    """Return the model's scores minus another's scores, with resamples if there are any."""
    if found:
        return minus(found[MODEL], found[name])
    plain = [
        Replicates({(key,): value for key, value in metrics[who].items() if _is_score(key, value)})
        for who in (MODEL, name)
    ]
    return minus(*plain)


def _is_score(name: str, value: Any) -> bool:
    return isinstance(value, float) and name != "ece"


def _interval_record(
    rows: LabelledRows, found: Mapping[str, Replicates], reason: str | None
) -> dict[str, Any]:
    draws = next((next(iter(replicates.by_units.values())) for replicates in found.values()), ())
    return {
        "level": LEVEL,
        "unit": rows.units.kind,
        "units": rows.units.count,
        "rows": len(rows.values),
        "replicates": len(draws),
        "reason": reason,
    }


def _undefined(rows: LabelledRows, metrics: Mapping[str, Any]) -> list[str]:
    """Return a note about undefined scores, with the reason if the labels cause it."""
    names = [
        metric_name(name)
        for name, value in metrics.items()
        if isinstance(value, float) and not np.isfinite(value)
    ]
    if not names:
        return []
    text = f"undefined: {', '.join(names)}"
    if (rows.values == rows.values[0]).all():
        return [f"{text}, because all {len(rows.values):,} labels are the same"]
    return [text]


def _unfound(metrics: Mapping[str, Any]) -> list[str]:
    """Return a note if half of the classes or more have rows, but none that is predicted right."""
    having = {
        name: scores for name, scores in metrics.get("per_class", {}).items() if scores["n"] > 0
    }
    unfound = [name for name, scores in having.items() if scores["recall"] == 0]
    if not unfound or 2 * len(unfound) < len(having):
        return []
    shown = ", ".join(unfound[:SHOWN_CLASSES]) + (" …" if len(unfound) > SHOWN_CLASSES else "")
    return [
        f"no row of {len(unfound):,} of {count_of(len(having), 'class')} is predicted right: "
        f"{shown} (a training with `--imbalance weights` finds more of rare classes)"
    ]
