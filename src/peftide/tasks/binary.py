"""Yes or no: one logit; and the task that asks it of a single sequence."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import expit
from torch import Tensor
from torch.nn import functional

from peftide.errors import InputError, raise_problems
from peftide.metrics import binary_metrics
from peftide.metrics.weighted import WEIGHTED
from peftide.sequences.records import Examples
from peftide.sequences.yes_no import is_yes
from peftide.tasks.task import Imbalance, Labels, Outcome, ReadingOptions, Targets, Task
from peftide.types import FloatArray


def read_binary(examples: Examples, _labels: Labels, _options: ReadingOptions) -> Targets:
    """Read 1/0, true/false, yes/no, positive/negative.

    Raises
    ------
    InputError
        Naming file and line of every other label.
    """
    shown = examples.labels or ()
    said = [is_yes(label) for label in shown]
    raise_problems(
        [
            f"{examples.where(row)}: label {shown[row]!r} is neither 1 nor 0"
            for row, yes in enumerate(said)
            if yes is None
        ],
        fix="Labels are 1 or 0 (also true/false, yes/no, positive/negative). "
        "Another column? Name it with --label-column.",
    )
    values = np.array([[yes is True] for yes in said], dtype=np.float32)
    return Targets(values, examples.counted, np.arange(len(said) + 1))


def fit_binary(examples: Examples, options: ReadingOptions) -> Labels:
    """Count negatives and positives of the training part.

    Raises
    ------
    InputError
        If only one of the two occurs.
    """
    targets = read_binary(examples, Labels(), options)
    positives = float(targets.values[targets.counted].sum())
    negatives = float(targets.counted.sum()) - positives
    if min(positives, negatives) == 0:
        raise InputError(
            f"all {int(positives + negatives):,} training labels are {int(positives > 0)}",
            expected="both 1 and 0",
            where=examples.path,
            fix="A model cannot learn a difference from one class.",
        )
    return Labels(class_names=("0", "1"), class_counts=(negatives, positives))


def binary_loss(
    logits: Float[Tensor, "R 1"],
    values: Float[Tensor, "R 1"],
    labels: Labels,
    *,
    imbalance: Imbalance,
) -> Float[Tensor, " R"]:
    """Return the binary cross-entropy of each row.

    How rare classes are made up for: see `yes_no_losses`.
    """
    negatives, positives = (torch.tensor([count]) for count in labels.class_counts)
    losses = yes_no_losses(logits, values, (negatives, positives), imbalance=imbalance)
    return losses[:, 0]


def yes_no_losses(
    logits: Float[Tensor, "R K"],
    values: Float[Tensor, "R K"],
    counts: tuple[Float[Tensor, " K"], Float[Tensor, " K"]],
    *,
    imbalance: Imbalance,
) -> Float[Tensor, "R K"]:
    """Return the binary cross-entropy of each answer.

    `weights`: yes and no weigh the same in total. `logit_adjustment`: the log prior odds are
    added while training only (Menon et al. 2021, arXiv 2007.07314, eq. 10).

    Parameters
    ----------
    counts
        Training rows with no and with yes, for each column.
    """
    negatives, positives = (count.to(logits) for count in counts)
    if imbalance == "logit_adjustment":
        logits = logits + torch.log(positives / negatives)
    losses = functional.binary_cross_entropy_with_logits(logits, values, reduction="none")
    if imbalance == "weights":
        half = (negatives + positives) / 2
        losses = losses * torch.where(values > 0, half / positives, half / negatives)
    return losses


def binary_answers(logits: FloatArray, _labels: Labels) -> FloatArray:
    """Return the probability of 1. Shape (R,)."""
    return expit(logits[:, 0].astype(np.float64))


def measure_binary(
    values: FloatArray, answers: FloatArray, _labels: Labels, *, threshold: float
) -> dict[str, Any]:
    """Return all binary metrics."""
    return binary_metrics(values[:, 0].astype(np.int64), answers, threshold=threshold)


def binary_columns(logits: FloatArray, labels: Labels, *, threshold: float) -> dict[str, Any]:
    """Return score (logit), probability and prediction (1 from the threshold on)."""
    probability = binary_answers(logits, labels)
    return {
        "score": logits[:, 0],
        "probability": probability,
        "prediction": (probability >= threshold).astype(np.int64),
    }


BINARY = Outcome(
    kind="binary",
    headline="average_precision",
    outputs=lambda _labels: 1,
    loss=binary_loss,
    answers=binary_answers,
    metrics=measure_binary,
    columns=binary_columns,
    supports_imbalance=True,
    uses_threshold=True,
    statistic=WEIGHTED["binary"],
    calibrations=("none", "temperature", "isotonic"),
    truth=lambda values, _labels: (values[:, 0] > 0).astype(np.int64),
    has_sets=True,
    score_columns=lambda _labels: [["score"]],
    ranking=("average_precision", "auroc"),
    reliability=True,
)

YES_OR_NO = Task(
    summary="a sequence → yes or no",
    level="sequence",
    outcome=BINARY,
    fit_labels=fit_binary,
    read_targets=read_binary,
)
