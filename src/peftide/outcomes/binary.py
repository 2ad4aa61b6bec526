"""Yes or no: one logit."""

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from peftide.errors import InputError, raise_problems
from peftide.metrics import binary_metrics
from peftide.metrics.weighted import weighted_binary
from peftide.outcomes.outcome import Imbalance, Labels, Outcome, ReadingOptions, Targets
from peftide.outcomes.shallow import (
    Shallow,
    as_columns,
    fit_yes_or_no,
    nearest_only,
    odds_of_one,
    zeros_and_ones,
)
from peftide.outcomes.shown import Shown, average_precision
from peftide.sequences.label_kinds import shortened
from peftide.sequences.missing import looks_missing_label
from peftide.sequences.records import Examples
from peftide.sequences.yes_no import is_yes, mixed_spellings
from peftide.types import FloatArray, IntArray


def read_binary(examples: Examples, _labels: Labels, options: ReadingOptions) -> Targets:
    """Read 1/0, true/false, yes/no, positive/negative; a mixture of these is counted.

    Raises
    ------
    InputError
        Naming file and line of every other label.
    """
    shown = examples.labels or ()
    said = [is_yes(label) for label in shown]
    raise_problems(
        [
            f"{examples.where(row)}: label {shortened(shown[row])} {_fault(shown[row])}"
            for row, yes in enumerate(said)
            if yes is None
        ],
        fix="Labels are 1 or 0 (also true/false, yes/no, positive/negative). "
        "To use another column, name it with --label-column.",
    )
    values = np.array([[yes is True] for yes in said], dtype=np.float32)
    findings = mixed_spellings(options.part, shown)
    return Targets(values, examples.counted, np.arange(len(said) + 1), findings)


def _fault(text: str) -> str:
    if looks_missing_label(text):
        return "is neither 1 nor 0 but looks like a missing value: leave out the row"
    return "is neither 1 nor 0"


def fit_binary(examples: Examples, options: ReadingOptions) -> Labels:
    """Count negatives and positives of the training part.

    Raises
    ------
    InputError
        If only one of the two occurs, or none.
    """
    targets = read_binary(examples, Labels(), options)
    if not targets.counted.any():
        raise InputError("no training label counts: all are left out", where=examples.path)
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
    logits: Float[Any, "R 1"],
    values: Float[Any, "R 1"],
    labels: Labels,
    *,
    imbalance: Imbalance,
) -> Float[Any, " R"]:
    """Return the binary cross-entropy of each row; for `imbalance` see `yes_no_losses`."""
    import torch

    negatives, positives = (torch.tensor([count]) for count in labels.class_counts)
    losses = yes_no_losses(logits, values, (negatives, positives), imbalance=imbalance)
    return losses[:, 0]


def yes_no_losses(
    logits: Float[Any, "R K"],
    values: Float[Any, "R K"],
    counts: tuple[Float[Any, " K"], Float[Any, " K"]],
    *,
    imbalance: Imbalance,
) -> Float[Any, "R K"]:
    """Return the binary cross-entropy of each answer.

    `weights`: yes and no have the same total weight. `logit_adjustment`: training, and training
    alone, adds the log prior odds (Menon et al. 2021, arXiv 2007.07314, eq. 10).

    Parameters
    ----------
    counts
        Training rows with no and with yes, for each column.
    """
    import torch
    from torch.nn import functional

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


def binary_truth(values: FloatArray, _labels: Labels) -> np.ndarray:
    """Return 1 or 0 of each row. Shape (R,)."""
    return (values[:, 0] > 0).astype(np.int64)


def binary_decisions(
    truth: FloatArray, answers: FloatArray, _names: tuple[str, ...], *, threshold: float
) -> tuple[tuple[str, ...], IntArray, IntArray]:
    """Return the two classes, and true and predicted class of each row."""
    return ("no", "yes"), truth.astype(np.int64), (answers >= threshold).astype(np.int64)


def binary_mistakes(truth: FloatArray, answers: FloatArray, *, threshold: float) -> FloatArray:
    """Return the distance of a wrong probability from the label; 0 where the row is right."""
    return np.where((answers >= threshold) == (truth > 0), 0.0, np.abs(truth - answers))


def say_binary(answer: float, _names: tuple[str, ...], *, threshold: float) -> str:
    """Return yes or no with the probability of yes."""
    return f"{'yes' if answer >= threshold else 'no'} ({answer:.3f})"


BINARY = Outcome(
    kind="binary",
    headline="average_precision",
    outputs=lambda _labels: 1,
    loss=binary_loss,
    answers=binary_answers,
    metrics=measure_binary,
    columns=binary_columns,
    evidence=lambda logits, _labels, _class: logits[:, 0],
    answer_column="probability",
    score_columns=lambda _labels: [["score"]],
    truth=binary_truth,
    statistic=weighted_binary,
    calibrations=("none", "temperature", "isotonic"),
    ranking=("average_precision", "auroc"),
    default_labels=Labels(("0", "1"), (1, 1)),
    supports_imbalance=True,
    uses_threshold=True,
    has_sets=True,
    has_prevalence=True,
    reliability=True,
    shallow=Shallow(
        checked=zeros_and_ones,
        linear=fit_yes_or_no,
        tallied=lambda targets: np.stack([1 - targets, targets], axis=1),
        from_tallies=lambda *known, members: odds_of_one(*known, members=members)[:, 1],
        averaged=as_columns,
        nearness=nearest_only,
    ),
    shown=Shown(
        figures=("precision_recall", "roc", "calibration", "histogram"),
        sureness=lambda truth, answers: (truth, answers),
        sure_of="yes",
        group_metric="average_precision",
        group_score=average_precision,
        decisions=binary_decisions,
        mistakes=binary_mistakes,
        said=say_binary,
        in_brackets="the probability of yes",
    ),
)
