"""What the model and others say of one part → entries of `metrics.json`, with intervals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from peftide.metrics import (
    LEVEL,
    WEIGHTED,
    Replicates,
    Statistic,
    Support,
    Units,
    as_record,
    difference_record,
    interval_notes,
    intervals,
    label_support,
    minus,
    no_interval_reason,
    reliability_curve,
    repeated,
    replicates_within,
    resample,
)
from peftide.sequences import Dataset, Examples, distinct_sequences
from peftide.tasks import Labels, Targets, Task
from peftide.types import FloatArray, IntArray

MODEL = "model"
SLOW_REPLICATES = 200


@dataclass(frozen=True)
class LabelledRows:
    """The rows of a part that count.

    Attributes
    ----------
    values
        Labels as numbers. Shape (R, K).
    units
        What stands behind each row, and is drawn again for intervals.
    """

    task: Task
    labels: Labels
    values: FloatArray
    units: Units


@dataclass(frozen=True)
class Answers:
    """What something says of labelled rows.

    Attributes
    ----------
    values
        Probability, probabilities or value of each row. Shape (R,) or (R, K).
    threshold
        Probability from which on yes is said.
    """

    values: FloatArray
    threshold: float = 0.5


@dataclass
class PartScores:
    """Scores of one part.

    Attributes
    ----------
    entries
        Who answered → the entries of `metrics.json`.
    differences
        Who answered besides the model → entries of the model's lead.
    interval
        What was resampled, and how often.
    reliability
        Bins of the model's probability of yes; empty for other answers.
    notes
        What is undefined or has no interval, and why.
    """

    entries: dict[str, dict[str, Any]]
    differences: dict[str, dict[str, Any]]
    interval: dict[str, Any]
    reliability: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def labelled_rows(
    dataset: Dataset, part: str, targets: Targets, *, task: Task, labels: Labels
) -> LabelledRows:
    """Return the rows of a part that count, with what stands behind them."""
    kind, members = _unit_members(dataset, dataset.parts[part])
    per_row = np.repeat(members, np.diff(targets.offsets), axis=0)
    units = Units(per_row[targets.counted], kind)
    return LabelledRows(task, labels, targets.values[targets.counted], units)


def _unit_members(dataset: Dataset, examples: Examples) -> tuple[str, IntArray]:
    """Return what a unit is called, and the units of each example. Shape (B, A)."""
    numbers = distinct_sequences(dataset.proteins)[examples.members]
    if numbers.shape[1] == 2:
        return "protein", numbers
    if examples.clusters is None:
        return "sequence", numbers
    # a sequence without a cluster is one of its own
    names = [name or f"\t{number}" for name, number in zip(examples.clusters, numbers, strict=True)]
    return "cluster", pd.factorize(np.array(names, dtype=object))[0].astype(np.int64)[:, None]


def score_rows(rows: LabelledRows, answers: Mapping[str, Answers], *, seed: int) -> PartScores:
    """Return the scores of everyone who answered, and the model's lead over the others.

    Parameters
    ----------
    answers
        Who answered → what; the model first, under the name `MODEL`.
    seed
        Of the resamples.
    """
    n = len(rows.values)
    metrics = {name: _metrics(rows, given) for name, given in answers.items()}
    reason = no_interval_reason(rows.units)
    found = {} if reason else _resampled(rows, answers, seed=seed)
    pairs = rows.units.are_pairs
    support = row_support(rows)
    known = {name: intervals(of, rows.units, support=support) for name, of in found.items()}
    entries = {
        name: as_record(scores, n, known.get(name), pairs=pairs) for name, scores in metrics.items()
    }
    differences = {
        name: difference_record(_lead(name, metrics, found), rows.units, n=n, support=support)
        for name in answers
        if name != MODEL
    }
    is_binary = rows.task.outcome.kind == "binary"
    return PartScores(
        entries,
        differences,
        _interval_record(rows, found, reason),
        reliability_curve(rows.values[:, 0], answers[MODEL].values) if is_binary else [],
        [
            *_undefined(rows, metrics[MODEL]),
            *([f"no intervals: {reason}"] if reason else interval_notes(entries[MODEL])),
        ],
    )


def row_support(rows: LabelledRows) -> dict[tuple[str, ...], Support]:
    """Return how many units carry positives and negatives of each class; nothing for numbers."""
    if rows.task.outcome.kind == "continuous":
        return {}
    return label_support(rows.values, rows.units, rows.labels.class_names)


def _metrics(rows: LabelledRows, given: Answers) -> dict[str, Any]:
    outcome = rows.task.outcome
    return outcome.metrics(rows.values, given.values, rows.labels, threshold=given.threshold)


def _resampled(
    rows: LabelledRows, answers: Mapping[str, Answers], *, seed: int
) -> dict[str, Replicates]:
    statistics = {name: statistic(rows, given) for name, given in answers.items()}
    count = replicates_within(len(rows.values), rows.values.shape[1] * len(answers))
    if rows.task.outcome.kind not in WEIGHTED:
        count = SLOW_REPLICATES
    return resample(statistics, rows.units, seed=seed, replicates=count)


def statistic(rows: LabelledRows, given: Answers) -> Statistic:
    """Return the scores of answers as a function of the weights of the rows."""
    outcome = rows.task.outcome
    weighted = WEIGHTED.get(outcome.kind)
    if weighted is not None:
        names = rows.labels.class_names
        return weighted(rows.values, given.values, names, threshold=given.threshold)

    def metrics(chosen: IntArray) -> dict[str, Any]:
        return outcome.metrics(
            rows.values[chosen], given.values[chosen], rows.labels, threshold=given.threshold
        )

    return repeated(metrics)


def _lead(
    name: str, metrics: Mapping[str, dict[str, Any]], found: Mapping[str, Replicates]
) -> Replicates:
    """Return the model's scores less those of another, with resamples where there are any."""
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
    """Say which scores are undefined, and why if it is for the labels."""
    names = [
        name.replace("_", " ")
        for name, value in metrics.items()
        if isinstance(value, float) and not np.isfinite(value)
    ]
    if not names:
        return []
    text = f"undefined: {', '.join(names)}"
    if len(np.unique(rows.values, axis=0)) == 1:
        return [f"{text}, since all {len(rows.values):,} labels are the same"]
    return [text]
