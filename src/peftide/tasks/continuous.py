"""A value: one output, trained on standardised values."""

import math
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from peftide.errors import InputError, raise_problems
from peftide.metrics import continuous_metrics
from peftide.metrics.weighted import WEIGHTED
from peftide.sequences.records import Examples
from peftide.tasks.task import Imbalance, Labels, Outcome, ReadingOptions, Targets
from peftide.types import FloatArray


def read_continuous(examples: Examples, _labels: Labels, _options: ReadingOptions) -> Targets:
    """Read one finite number per row.

    Raises
    ------
    InputError
        Naming file and line of every label that is no finite number.
    """
    shown = examples.labels or ()
    values = [_number(text) for text in shown]
    raise_problems(
        [
            f"{examples.where(row)}: label {shown[row]!r} is no finite number"
            for row, value in enumerate(values)
            if not math.isfinite(value)
        ],
        fix="Another column? Name it with --label-column. Decimals are written with a point.",
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
    logits: Float[Tensor, "R 1"],
    values: Float[Tensor, "R 1"],
    labels: Labels,
    *,
    imbalance: Imbalance,
) -> Float[Tensor, " R"]:
    """Return the squared error of each row, in units of the training standard deviation."""
    del imbalance
    return (logits[:, 0] - (values[:, 0] - labels.centre) / labels.spread) ** 2


def continuous_answers(logits: FloatArray, labels: Labels) -> FloatArray:
    """Return values in the units of the labels. Shape (R,)."""
    return logits[:, 0].astype(np.float64) * labels.spread + labels.centre


def measure_continuous(
    values: FloatArray, answers: FloatArray, _labels: Labels, *, threshold: float
) -> dict[str, Any]:
    """Return all metrics of values; a threshold means nothing here."""
    del threshold
    return continuous_metrics(values[:, 0], answers)


def continuous_columns(logits: FloatArray, labels: Labels, *, threshold: float) -> dict[str, Any]:
    """Return the predicted value; a threshold means nothing here."""
    del threshold
    return {"prediction": continuous_answers(logits, labels)}


CONTINUOUS = Outcome(
    kind="continuous",
    headline="spearman",
    outputs=lambda _labels: 1,
    loss=squared_loss,
    answers=continuous_answers,
    metrics=measure_continuous,
    columns=continuous_columns,
    supports_imbalance=False,
    statistic=WEIGHTED["continuous"],
)
