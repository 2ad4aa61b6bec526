"""Any subset of K classes: K logits, a separate yes or no for each class."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from peftide.errors import InputError, raise_problems
from peftide.metrics import multilabel_metrics
from peftide.metrics.weighted import weighted_multilabel
from peftide.outcomes.binary import yes_no_losses
from peftide.outcomes.categorical import class_truth, probability_columns, sorted_classes
from peftide.outcomes.columns import BETWEEN_CLASSES, PROBABILITY_OF
from peftide.outcomes.outcome import Imbalance, Labels, Outcome, ReadingOptions, Targets
from peftide.outcomes.shallow import (
    Shallow,
    fit_yes_or_no,
    nearest_only,
    odds_of_each,
    zeros_and_ones,
)
from peftide.outcomes.shown import Shown, average_precision
from peftide.sequences.label_kinds import shortened
from peftide.sequences.label_lists import (
    NONE,
    SEPARATORS,
    LabelList,
    columns_of,
    is_missing,
    label_list,
    repeated_numbers,
    split_classes,
)
from peftide.sequences.missing import missing_classes
from peftide.sequences.near_misses import similar_classes
from peftide.sequences.records import Examples, Finding
from peftide.types import FloatArray

BETWEEN_PREDICTED = ";"
"""Separator of the classes in the column `prediction`."""


def fit_multilabel(examples: Examples, options: ReadingOptions) -> Labels:
    """Take the classes that occur in the training part, and count their rows.

    Labels that are lists of 0 and 1 of one length have a class for each column: the names in
    `options.classes`, else `class_1` and so on.

    Raises
    ------
    InputError
        If a cell cannot be read, no class tells rows apart, or names do not fit the columns.
    """
    texts = examples.labels or ()
    columns = columns_of(texts)
    if columns:
        names = column_names(columns, options, where=str(examples.path))
    elif options.classes:
        raise InputError(
            "--classes names the columns of 0 and 1, but the labels name their classes",
            where=examples.path,
            fix="Leave out --classes",
        )
    else:
        names = named_classes(dict.fromkeys(texts), where=str(examples.path))
    labels = Labels(class_names=names, columns=columns > 0)
    targets = read_multilabel(examples, labels, options)
    values = targets.values[targets.counted]
    if not len(np.unique(values, axis=0)) > 1:
        raise InputError(
            f"all training rows have the same classes ({', '.join(names) or NONE})",
            expected="rows that differ",
            where=examples.path,
        )
    counts = tuple(values.sum(axis=0).tolist())
    return replace(labels, class_counts=counts, rows=float(len(values)))


def named_classes(texts: Collection[str], *, where: str) -> tuple[str, ...]:
    """Return all classes that cells name, in the order of the logits.

    `[2Fe-2S]` is a name, unless another cell is beyond doubt a list.

    Raises
    ------
    InputError
        If a name has a character that separates classes in predictions.
    """
    lists = {text: found for text in texts if (found := label_list(text))}
    alone = {text for text, found in lists.items() if not found.marked}
    if len(alone) < len(lists):
        alone = set()
    names = {name for text in texts if text not in alone for name in split_classes(text)} | alone
    separated = sorted(name for name in names if {BETWEEN_PREDICTED, BETWEEN_CLASSES} & {*name})
    if separated:
        raise InputError(
            f"a class named {shortened(separated[0])}",
            expected="names without semicolon and bar, which separate classes in predictions",
            where=where,
        )
    return sorted_classes(names)


def column_names(columns: int, options: ReadingOptions, *, where: str) -> tuple[str, ...]:
    """Return the name of each column of 0 and 1.

    Raises
    ------
    InputError
        If there are more or fewer names than columns.
    """
    names = options.classes or tuple(f"class_{k}" for k in range(1, columns + 1))
    if len(names) != columns:
        raise InputError(
            f"--classes has {len(names):,} names for labels of {columns:,} columns",
            expected="one name for each column of 0 and 1, in their order",
            where=where,
        )
    return names


def read_multilabel(examples: Examples, labels: Labels, options: ReadingOptions) -> Targets:
    """Read any number of classes per row: a list, or names with separators between them.

    A model whose training labels were columns of 0 and 1 reads those, or names. Classes that the
    training set lacks are left out of their rows and counted.

    Raises
    ------
    InputError
        Naming file and line of each cell that names nothing, or cannot be read.
    """
    texts = examples.labels or ()
    distinct = {text: read_cell(text, labels) for text in dict.fromkeys(texts)}
    raise_problems(
        [
            f"{examples.where(row)}: label {shortened(text)} {distinct[text].fault}"
            for row, text in enumerate(texts)
            if distinct[text].fault
        ],
        fix="Classes are separated by semicolon, comma or bar, or are a list such as ['a', 'b']; "
        f"an empty set is written {NONE} or [].",
    )
    column = {name: k for k, name in enumerate(labels.class_names)}
    values = np.zeros((len(texts), len(column)), dtype=np.float32)
    mentioned: list[str] = []
    for row, text in enumerate(texts):
        named = distinct[text].entries
        values[row, [column[name] for name in named if name in column]] = 1
        mentioned += named
    findings = unknown_classes([name for name in mentioned if name not in column], options.part)
    findings += similar_classes(options.part, mentioned, labels.class_names)
    rows = [distinct[text].entries for text in texts]
    findings += missing_classes(options.part, rows, where=examples.where)
    return Targets(values, examples.counted, np.arange(len(texts) + 1), findings)


def read_cell(text: str, labels: Labels) -> LabelList:
    """Return the classes that a cell names as entries, or its fault."""
    found = label_list(text)
    if found is None or text in labels.class_names:
        words = {word.strip().lower() for word in SEPARATORS.split(text)} - {""}
        if not words:
            return LabelList(fault="names no class")
        if NONE in words and len(words) > 1:
            return LabelList(fault=f"has {NONE} beside other classes")
        return LabelList(tuple([text] if text in labels.class_names else split_classes(text)))
    if found.fault or not found.entries:
        return found
    if labels.columns and found.bits is not None:
        return _columns_cell(found.bits, labels)
    if any(is_missing(entry) for entry in found.entries):
        return LabelList(fault="has an empty or missing entry")
    if repeated_numbers(found.entries):
        fault = "is neither a set of classes, for it repeats a number, nor 0 and 1 for each class"
        return LabelList(fault=f"{fault} as most rows")
    return found


def _columns_cell(bits: tuple[int, ...], labels: Labels) -> LabelList:
    names = labels.class_names
    if len(bits) != len(names):
        return LabelList(fault=f"has {len(bits):,} columns of 0 and 1, not {len(names):,}")
    return LabelList(tuple(name for name, bit in zip(names, bits, strict=True) if bit))


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
    sets = [BETWEEN_PREDICTED.join(names[row]) or NONE for row in probabilities >= threshold]
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
    evidence=lambda logits, _labels, k: logits[:, k],
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
