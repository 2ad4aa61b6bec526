"""One of several classes: K logits, softmax; a row may belong to more than one class."""

from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import softmax

from peftide.errors import InputError, did_you_mean, raise_problems
from peftide.metrics import categorical_metrics
from peftide.metrics.weighted import weighted_categorical
from peftide.outcomes.columns import BETWEEN_CLASSES, PROBABILITY_OF
from peftide.outcomes.outcome import Imbalance, Labels, Outcome, ReadingOptions, Targets
from peftide.outcomes.shallow import (
    Shallow,
    fit_one_of,
    nearest_only,
    odds_of_one,
    zeros_and_ones,
)
from peftide.outcomes.shown import Shown
from peftide.sequences.label_kinds import TOO_MANY_DIGITS, shortened
from peftide.sequences.label_lists import list_fault
from peftide.sequences.missing import missing_classes
from peftide.sequences.near_misses import similar_classes
from peftide.sequences.records import Examples, Finding
from peftide.sequences.tallies import row_findings
from peftide.types import BoolArray, FloatArray, IntArray

UNTRAINED = "no class of training"
"""Name of the true class of rows whose class the training set lacks."""


def fit_classes(examples: Examples, options: ReadingOptions) -> Labels:
    """Take the classes that occur in the training part: numbers in order, then words in order.

    Raises
    ------
    InputError
        If fewer than two classes occur, or as many as there are rows.
    """
    names = sorted_classes(set(examples.labels or ()))
    targets = read_classes(examples, Labels(class_names=names), options)
    counts = require_two_classes(targets, names, str(examples.path))
    if len(counts) > 2 and counts.max() == 1:
        raise InputError(
            f"all {len(counts):,} training labels differ (for instance "
            f"{shortened(names[0])}, {shortened(names[1])})",
            expected="classes that several rows share",
            where=examples.path,
            fix="Another column? Name it with --label-column. Numbers? --task regression",
        )
    return Labels(names, tuple(counts.tolist()))


def sorted_classes(names: set[str]) -> tuple[str, ...]:
    """Return class names in the order of the logits: whole numbers by value, then words.

    Examples
    --------
    >>> sorted_classes({"10", "2", "b", "a"})
    ('2', '10', 'a', 'b')
    """

    def key(name: str) -> tuple[int, int, str]:
        is_value = name.isdecimal() and not TOO_MANY_DIGITS.fullmatch(name)
        return (0, int(name), name) if is_value else (1, 0, name)

    return tuple(sorted(names, key=key))


def read_classes(examples: Examples, labels: Labels, options: ReadingOptions) -> Targets:
    """Read one class per row; for one that train does not have see `membership`.

    Raises
    ------
    InputError
        If train has none of the classes, or a label is a list that cannot be read.
    """
    texts = examples.labels or ()
    counted = examples.counted
    raise_problems(
        [
            f"{examples.where(row)}: label {shortened(text)} {fault}"
            for row, text in enumerate(texts)
            if (fault := list_fault(text))
        ],
        fix="A label is one class. Several classes per row: --task multilabel",
    )
    values, findings = membership(texts, labels, counted, part=options.part, where=examples.where)
    odd = missing_classes(options.part, [(text,) for text in texts], where=examples.where)
    return Targets(values, counted, np.arange(len(texts) + 1), findings + odd)


def categorical_loss(
    logits: Float[Any, "R K"],
    values: Float[Any, "R K"],
    labels: Labels,
    *,
    imbalance: Imbalance,
) -> Float[Any, " R"]:
    """Return the cross-entropy of each row against its class membership.

    `weights`: all classes have the same total weight. `logit_adjustment`: training, and training
    alone, adds the log priors, smoothed by one row (Menon et al. 2021, arXiv 2007.07314, eq. 10).
    """
    import torch

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
    return columns | {
        f"{PROBABILITY_OF}{name}": probabilities[:, k] for k, name in enumerate(names)
    }


def membership(
    names: Sequence[str],
    labels: Labels,
    counted: BoolArray,
    *,
    part: str,
    where: Callable[[int], str],
) -> tuple[FloatArray, tuple[Finding, ...]]:
    """Return the class membership of rows, shape (R, K), and the findings.

    A row whose class the training set lacks belongs to no class: the row counts, and no answer to
    it is right, as in use.

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
        If the training set has none of the classes.
    """
    column = {name: k for k, name in enumerate(labels.class_names)}
    classes = np.array([column.get(name, -1) for name in names], dtype=np.int64)
    unknown = counted & (classes < 0)
    if counted.any() and unknown.sum() == counted.sum():
        first = int(unknown.argmax())
        raise InputError(
            f"train has none of the classes here (for instance {shortened(names[first])})",
            where=where(first),
            fix=did_you_mean(names[first], labels.class_names),
        )
    decision = "train does not have their class; they count, and no answer to them is right"
    findings = row_findings(
        part, "rows_of_unknown_classes", unknown, where=where, decision=decision
    )
    findings += similar_classes(part, compress(names, counted), labels.class_names)
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


def log_odds(logits: Float[Any, "R K"], _labels: Labels, k: int) -> Float[Any, " R"]:
    """Return the log odds of class k against all others: log(p / (1 − p)). Shape (R,).

    Examples
    --------
    >>> import torch
    >>> log_odds(torch.tensor([[1.0, 0.0, 0.0]]), Labels(), 0).exp().round(decimals=3)
    tensor([1.3590])
    """
    others = [column for column in range(logits.shape[1]) if column != k]
    return logits[:, k] - logits[:, others].logsumexp(dim=1)


def probability_columns(labels: Labels) -> list[list[str]]:
    """Return the column of each class's probability, as the only choice."""
    return [[f"{PROBABILITY_OF}{name}" for name in labels.class_names]]


def class_truth(values: FloatArray, labels: Labels) -> np.ndarray:
    """Return the classes of each row with bars between them. Shape (R,)."""
    distinct, rows = np.unique(values > 0, axis=0, return_inverse=True)
    names = np.array(labels.class_names, dtype=object)
    texts = [BETWEEN_CLASSES.join(names[carried]) for carried in distinct]
    return np.array(texts, dtype=object)[rows.reshape(-1)]


def memberships(targets: np.ndarray) -> np.ndarray:
    """Return 0/1 memberships as int64.

    Raises
    ------
    InputError
        If a value is neither, or a row has no class.
    """
    checked = zeros_and_ones(targets)
    if not checked.any(axis=1).all():
        raise InputError("an example without any class", expected="at least one per example")
    return checked


def top_class(truth: FloatArray, answers: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return 1 where a row has the most probable class, and its probability; each (R,)."""
    return truth[np.arange(len(truth)), answers.argmax(axis=1)], answers.max(axis=1)


def categorical_decisions(
    truth: FloatArray, answers: FloatArray, names: tuple[str, ...], **_threshold: float
) -> tuple[tuple[str, ...], IntArray, IntArray]:
    """Return all classes, and true and predicted class of each row.

    If a row has several classes, its true class is the predicted class if the row has it, else
    its first class.
    """
    predicted = answers.argmax(axis=1)
    right, _ = top_class(truth, answers)
    true = np.where(right == 1, predicted, truth.argmax(axis=1))
    return (*names, UNTRAINED), np.where(truth.any(axis=1), true, len(names)), predicted


def categorical_mistakes(truth: FloatArray, answers: FloatArray, **_threshold: float) -> FloatArray:
    """Return the probability of a wrong class; 0 where the row is right. Shape (R,)."""
    right, sure = top_class(truth, answers)
    return np.where(right == 1, 0.0, sure)


def say_class(answer: FloatArray, names: tuple[str, ...], **_threshold: float) -> str:
    """Return the most probable class with its probability."""
    best = int(answer.argmax())
    return f"{names[best]} ({answer[best]:.3f})"


CATEGORICAL = Outcome(
    kind="categorical",
    headline="macro_average_precision",
    outputs=lambda labels: len(labels.class_names),
    loss=categorical_loss,
    answers=categorical_answers,
    metrics=measure_categorical,
    columns=categorical_columns,
    evidence=log_odds,
    score_columns=probability_columns,
    truth=class_truth,
    statistic=weighted_categorical,
    calibrations=("none", "temperature"),
    supports_imbalance=True,
    has_classes=True,
    has_sets=True,
    shallow=Shallow(
        checked=memberships,
        linear=fit_one_of,
        tallied=lambda targets: targets,
        from_tallies=odds_of_one,
        averaged=lambda targets: targets / targets.sum(axis=1, keepdims=True),
        nearness=nearest_only,
    ),
    shown=Shown(
        figures=("calibration",),
        sureness=top_class,
        sure_of="the predicted class",
        group_metric="accuracy",
        group_score=lambda truth, answers: (float(top_class(truth, answers)[0].mean()), None),
        decisions=categorical_decisions,
        mistakes=categorical_mistakes,
        said=say_class,
        in_brackets="the probability of the predicted class",
    ),
)
