"""A value: one output, trained on standardised values."""

import math
from typing import Any

import numpy as np
from jaxtyping import Float

from peftide.errors import InputError, raise_problems
from peftide.metrics import continuous_metrics
from peftide.metrics.weighted import weighted_continuous
from peftide.outcomes.outcome import Imbalance, Labels, Outcome, ReadingOptions, Targets
from peftide.outcomes.shallow import (
    Shallow,
    all_by_nearness,
    as_columns,
    fit_values,
    mean_of_both,
)
from peftide.outcomes.shown import Shown
from peftide.quantities import number
from peftide.sequences.records import Examples
from peftide.types import FloatArray


def read_continuous(examples: Examples, _labels: Labels, _options: ReadingOptions) -> Targets:
    """Read one finite number per row.

    Raises
    ------
    InputError
        Naming file and line of every label that is not a finite number.
    """
    shown = examples.labels or ()
    values = [_number(text) for text in shown]
    raise_problems(
        [
            f"{examples.where(row)}: label {shown[row]!r} is not a finite number"
            for row, value in enumerate(values)
            if not math.isfinite(value)
        ],
        fix="To use another column, name it with --label-column. Decimals have a point.",
    )
    column = np.array(values, dtype=np.float64)[:, None]
    return Targets(column, examples.counted, np.arange(len(values) + 1))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def fit_continuous(examples: Examples, options: ReadingOptions) -> Labels:
    """Take mean and standard deviation of the training values.

    Raises
    ------
    InputError
        If all values are equal.
    """
    targets = read_continuous(examples, Labels(), options)
    values = targets.values[targets.counted]
    if values.size == 0 or values.std() == 0:
        raise InputError(
            "all training values are equal", expected="values that differ", where=examples.path
        )
    return Labels(centre=float(values.mean()), spread=float(values.std()))


def squared_loss(
    logits: Float[Any, "R 1"],
    values: Float[Any, "R 1"],
    labels: Labels,
    *,
    imbalance: Imbalance,
) -> Float[Any, " R"]:
    """Return the squared error of each row, in units of the training standard deviation."""
    del imbalance
    return (logits[:, 0] - (values[:, 0] - labels.centre) / labels.spread) ** 2


def continuous_answers(logits: FloatArray, labels: Labels) -> FloatArray:
    """Return values in the units of the labels. Shape (R,)."""
    return logits[:, 0].astype(np.float64) * labels.spread + labels.centre


def measure_continuous(
    values: FloatArray, answers: FloatArray, _labels: Labels, *, threshold: float
) -> dict[str, Any]:
    """Return all metrics of values, which have no threshold."""
    del threshold
    return continuous_metrics(values[:, 0], answers)


def continuous_columns(logits: FloatArray, labels: Labels, *, threshold: float) -> dict[str, Any]:
    """Return the predicted value, which has no threshold."""
    del threshold
    return {"prediction": continuous_answers(logits, labels)}


def continuous_truth(values: FloatArray, _labels: Labels) -> np.ndarray:
    """Return the value of each row. Shape (R,)."""
    return values[:, 0]


def finite_values(targets: np.ndarray) -> np.ndarray:
    """Return targets as float64.

    Raises
    ------
    InputError
        If one is NaN or infinite.
    """
    if not np.isfinite(targets).all():
        raise InputError("a target that is NaN or infinite", expected="finite values")
    return targets.astype(np.float64)


CONTINUOUS = Outcome(
    kind="continuous",
    headline="spearman",
    outputs=lambda _labels: 1,
    loss=squared_loss,
    answers=continuous_answers,
    metrics=measure_continuous,
    columns=continuous_columns,
    answer_column="prediction",
    score_columns=lambda _labels: [["score"], ["prediction"]],
    truth=continuous_truth,
    statistic=weighted_continuous,
    default_labels=Labels(),
    shallow=Shallow(
        checked=finite_values,
        linear=fit_values,
        tallied=as_columns,
        from_tallies=mean_of_both,
        averaged=as_columns,
        nearness=all_by_nearness,
    ),
    shown=Shown(
        figures=("predicted_and_true",),
        group_metric="spearman",
        group_score=lambda truth, answers: (continuous_metrics(truth, answers)["spearman"], None),
        mistakes=lambda truth, answers, **_threshold: np.abs(truth - answers),
        said=lambda answer, _names, **_threshold: number(float(answer)),
    ),
)
