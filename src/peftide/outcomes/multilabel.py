"""Any subset of K classes: K logits, a separate yes or no for each class."""

import re
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from peftide.errors import InputError, raise_problems
from peftide.metrics import multilabel_metrics
from peftide.metrics.weighted import weighted_multilabel
from peftide.outcomes.binary import yes_no_losses
from peftide.outcomes.categorical import class_truth, probability_columns, sorted_classes
from peftide.outcomes.columns import PROBABILITY_OF
from peftide.outcomes.outcome import Imbalance, Labels, Outcome, ReadingOptions, Targets
from peftide.outcomes.shallow import (
    Shallow,
    fit_yes_or_no,
    nearest_only,
    odds_of_each,
    zeros_and_ones,
)
from peftide.outcomes.shown import Shown, average_precision
from peftide.sequences.missing import missing_classes
from peftide.sequences.records import Examples, Finding
from peftide.types import FloatArray

SEPARATORS = re.compile(r"[;,|]")
NONE = "none"
"""The word for an empty set, in tables and predictions: an empty cell may be a forgotten one."""


def split_classes(text: str) -> list[str]:
    """Return the classes that a cell names, in its order.

    Examples
    --------
    >>> split_classes("nucleus; cytosol"), split_classes("None")
    (['nucleus', 'cytosol'], [])
    """
    words = [word.strip() for word in SEPARATORS.split(text)]
    return [word for word in words if word and word.lower() != NONE]


def fit_multilabel(examples: Examples, options: ReadingOptions) -> Labels:
    """Take the classes that occur in the training part, and count their rows.

    Raises
    ------
    InputError
        If a cell names nothing, or no class tells rows apart.
    """
    names = sorted_classes({name for text in examples.labels or () for name in split_classes(text)})
    targets = read_multilabel(examples, Labels(class_names=names), options)
    values = targets.values[targets.counted]
    if not len(np.unique(values, axis=0)) > 1:
        raise InputError(
            f"all training rows have the same classes ({', '.join(names) or NONE})",
            expected="rows that differ",
            where=examples.path,
        )
    return Labels(names, tuple(values.sum(axis=0).tolist()), rows=float(len(values)))


def read_multilabel(examples: Examples, labels: Labels, options: ReadingOptions) -> Targets:
    """Read any number of classes per row, separated by semicolon, comma or bar.

    Classes that the training set lacks are left out of their rows and counted.

    Raises
    ------
    InputError
        Naming file and line of each cell that names nothing, or classes beside `none`.
    """
    texts = examples.labels or ()
    raise_problems(
        [
            f"{examples.where(row)}: label {text!r} {found}"
            for row, text in enumerate(texts)
            if (found := misread(text))
        ],
        fix=f"Classes are separated by semicolon, comma or bar; an empty set is written {NONE}.",
    )
    column = {name: k for k, name in enumerate(labels.class_names)}
    values = np.zeros((len(texts), len(column)), dtype=np.float32)
    unknown: list[str] = []
    for row, text in enumerate(texts):
        named = split_classes(text)
        values[row, [column[name] for name in named if name in column]] = 1
        unknown += [name for name in named if name not in column]
    findings = unknown_classes(unknown, options.part)
    named = [split_classes(text) for text in texts]
    findings += missing_classes(options.part, named, where=examples.where)
    return Targets(values, examples.counted, np.arange(len(texts) + 1), findings)


def misread(text: str) -> str:
    """Return the fault of a cell; empty if there is none."""
    words = {word.strip().lower() for word in SEPARATORS.split(text)} - {""}
    if not words:
        return "names no class"
    return f"has {NONE} beside other classes" if NONE in words and len(words) > 1 else ""


def unknown_classes(names: list[str], part: str) -> tuple[Finding, ...]:
    """Count the mentions of classes that train does not have."""
    if not names:
        return ()
    decision = "train does not have them: neither predicted nor scored"
    shown = tuple(dict.fromkeys(names))[:3]
    return (Finding(part, "mentions_of_unknown_classes", len(names), decision, shown),)


def multilabel_loss(
    logits: Float[Any, "R K"],
    values: Float[Any, "R K"],
    labels: Labels,
    *,
    imbalance: Imbalance,
) -> Float[Any, " R"]:
    """Return the mean binary cross-entropy over the classes of each row.

    For `imbalance` see `yes_no_losses`; each class has its own counts.
    """
    import torch

    positives = torch.tensor(labels.class_counts)
    # a class that every training row has: one row without it, so that nothing is infinite
    negatives = (labels.rows - positives).clamp(min=1)
    return yes_no_losses(logits, values, (negatives, positives), imbalance=imbalance).mean(dim=1)


def multilabel_answers(logits: FloatArray, _labels: Labels) -> FloatArray:
    """Return the probability of each class, on its own. Shape (R, K)."""
    return expit(logits.astype(np.float64))


def measure_multilabel(
    values: FloatArray, answers: FloatArray, labels: Labels, *, threshold: float
) -> dict[str, Any]:
    """Return micro, macro and per-class metrics."""
    return multilabel_metrics(values, answers, labels.class_names, threshold=threshold)


def multilabel_columns(logits: FloatArray, labels: Labels, *, threshold: float) -> dict[str, Any]:
    """Return the predicted set as the table writes sets, and `p_<class>` for each class."""
    probabilities = multilabel_answers(logits, labels)
    names = np.array(labels.class_names)
    sets = [";".join(names[row]) or NONE for row in probabilities >= threshold]
    columns: dict[str, Any] = {"prediction": sets}
    return columns | {
        f"{PROBABILITY_OF}{name}": probabilities[:, k] for k, name in enumerate(names)
    }


SUBSET = Outcome(
    kind="multilabel",
    headline="macro_average_precision",
    outputs=lambda labels: len(labels.class_names),
    loss=multilabel_loss,
    answers=multilabel_answers,
    metrics=measure_multilabel,
    columns=multilabel_columns,
    score_columns=probability_columns,
    truth=class_truth,
    statistic=weighted_multilabel,
    supports_imbalance=True,
    uses_threshold=True,
    has_classes=True,
    shallow=Shallow(
        checked=zeros_and_ones,
        linear=fit_yes_or_no,
        tallied=lambda targets: targets,
        from_tallies=odds_of_each,
        averaged=lambda targets: targets,
        nearness=nearest_only,
    ),
    shown=Shown(
        figures=("calibration",),
        sureness=lambda truth, answers: (truth.ravel(), answers.ravel()),
        sure_of="a class",
        group_metric="micro_average_precision",
        group_score=average_precision,
    ),
)
