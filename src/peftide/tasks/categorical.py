"""One of several classes: K logits, softmax; a row may belong to more than one class."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import softmax
from torch import Tensor

from peftide.errors import InputError, did_you_mean
from peftide.metrics import categorical_metrics
from peftide.metrics.weighted import WEIGHTED
from peftide.sequences.records import Finding
from peftide.sequences.tallies import row_findings
from peftide.tasks.task import Imbalance, Labels, Outcome, Targets
from peftide.types import BoolArray, FloatArray


def categorical_loss(
    logits: Float[Tensor, "R K"],
    values: Float[Tensor, "R K"],
    labels: Labels,
    *,
    imbalance: Imbalance,
) -> Float[Tensor, " R"]:
    """Return the cross-entropy of each row against its class membership.

    `weights`: each class weighs the same in total. `logit_adjustment`: log priors (add-one
    smoothed) are added while training only (Menon et al. 2021, arXiv 2007.07314, eq. 10).
    """
    counts = torch.tensor(labels.class_counts, dtype=logits.dtype, device=logits.device)
    if imbalance == "logit_adjustment":
        logits = logits + torch.log((counts + 1) / (counts.sum() + len(counts)))
    losses = -(values * torch.log_softmax(logits, dim=1)).sum(dim=1)
    if imbalance == "weights":
        present = (counts > 0).sum()
        weights = counts.sum() / (present * counts.clamp(min=1))
        losses = losses * (values @ weights)
    return losses


def categorical_answers(logits: FloatArray, _labels: Labels) -> FloatArray:
    """Return class probabilities. Shape (R, K)."""
    return softmax(logits.astype(np.float64), axis=1)


def measure_categorical(
    values: FloatArray, answers: FloatArray, labels: Labels, *, threshold: float
) -> dict[str, Any]:
    """Return macro and per-class metrics; the most probable class is predicted."""
    del threshold
    return categorical_metrics((values > 0).astype(np.int64), answers, labels.class_names)


def categorical_columns(logits: FloatArray, labels: Labels, *, threshold: float) -> dict[str, Any]:
    """Return the most probable class and `p_<class>` for each class."""
    del threshold
    probabilities = categorical_answers(logits, labels)
    names = np.array(labels.class_names)
    columns: dict[str, Any] = {"prediction": names[probabilities.argmax(axis=1)]}
    return columns | {f"p_{name}": probabilities[:, k] for k, name in enumerate(names)}


def membership(
    names: Sequence[str],
    labels: Labels,
    counted: BoolArray,
    *,
    part: str,
    where: Callable[[int], str],
) -> tuple[FloatArray, tuple[Finding, ...]]:
    """Return the class membership of rows, shape (R, K), and what was counted.

    A row of a class that train does not have belongs to none: it counts, and no answer to it is
    right. That is what such a row would meet in use.

    Parameters
    ----------
    names
        Class of each row. Length R.
    counted
        Rows that enter training and metrics. Shape (R,).
    where
        Place of a row by its index, for messages.

    Raises
    ------
    InputError
        If train has none of the classes.
    """
    column = {name: k for k, name in enumerate(labels.class_names)}
    classes = np.array([column.get(name, -1) for name in names], dtype=np.int64)
    unknown = counted & (classes < 0)
    if counted.any() and unknown.sum() == counted.sum():
        first = int(unknown.argmax())
        raise InputError(
            f"train has none of the classes here (for instance {names[first]!r})",
            where=where(first),
            fix=did_you_mean(names[first], labels.class_names),
        )
    decision = "train does not have their class; they count, and no answer to them is right"
    findings = row_findings(
        part, "rows_of_unknown_classes", unknown, where=where, decision=decision
    )
    return np.eye(len(column) + 1, dtype=np.float32)[classes][:, :-1], findings


def require_two_classes(targets: Targets, class_names: tuple[str, ...], where: str) -> FloatArray:
    """Return the training rows of each class.

    Raises
    ------
    InputError
        If fewer than two classes occur.
    """
    if not targets.counted.any():
        raise InputError("no training label counts: all are masked or left out", where=where)
    counts = targets.values[targets.counted].sum(axis=0)
    if (counts > 0).sum() < 2:
        found = ", ".join(np.array(class_names)[counts > 0])
        raise InputError(
            f"the training labels have one class only ({found})",
            expected="at least two classes",
            where=where,
        )
    return counts


def class_truth(values: FloatArray, labels: Labels) -> np.ndarray:
    """Return the classes of each row as text, several joined by a bar. Shape (R,)."""
    distinct, rows = np.unique(values > 0, axis=0, return_inverse=True)
    names = np.array(labels.class_names, dtype=object)
    texts = [BETWEEN_CLASSES.join(names[carried]) for carried in distinct]
    return np.array(texts, dtype=object)[rows.reshape(-1)]


BETWEEN_CLASSES = "|"
COUNTED, TRUTH = "counted", "truth"

CATEGORICAL = Outcome(
    kind="categorical",
    headline="macro_average_precision",
    outputs=lambda labels: len(labels.class_names),
    loss=categorical_loss,
    answers=categorical_answers,
    metrics=measure_categorical,
    columns=categorical_columns,
    supports_imbalance=True,
    statistic=WEIGHTED["categorical"],
    calibrations=("none", "temperature"),
    has_sets=True,
    truth=class_truth,
    has_classes=True,
    score_columns=lambda labels: [[f"p_{name}" for name in labels.class_names]],
)
