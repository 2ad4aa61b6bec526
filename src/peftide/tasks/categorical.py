"""One of several classes: K logits, softmax; a row may belong to more than one class."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import softmax
from torch import Tensor

from peftide.errors import InputError
from peftide.metrics import categorical_metrics
from peftide.tasks.task import Imbalance, Labels, Outcome, Targets
from peftide.types import FloatArray


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


def require_two_classes(targets: Targets, class_names: tuple[str, ...], where: str) -> FloatArray:
    """Return the training rows of each class.

    Raises
    ------
    InputError
        If fewer than two classes occur.
    """
    counts = targets.values[targets.counted].sum(axis=0)
    if (counts > 0).sum() < 2:
        found = ", ".join(np.array(class_names)[counts > 0]) or "none"
        raise InputError(
            f"the training labels have one class only ({found})",
            expected="at least two classes",
            where=where,
        )
    return counts


CATEGORICAL = Outcome(
    kind="categorical",
    headline="macro_average_precision",
    outputs=lambda labels: len(labels.class_names),
    loss=categorical_loss,
    answers=categorical_answers,
    metrics=measure_categorical,
    columns=categorical_columns,
    supports_imbalance=True,
)
