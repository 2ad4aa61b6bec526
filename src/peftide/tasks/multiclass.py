"""One of several classes per sequence or pair, whatever words the table has for them."""

import numpy as np

from peftide.errors import InputError, did_you_mean
from peftide.sequences.records import Examples, Finding
from peftide.sequences.tallies import row_findings
from peftide.tasks.categorical import CATEGORICAL, require_two_classes
from peftide.tasks.task import Labels, ReadingOptions, Targets, Task
from peftide.types import BoolArray


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
            f"all {len(counts):,} training labels differ (for instance {names[0]!r}, {names[1]!r})",
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
    return tuple(sorted(names, key=lambda n: (0, int(n), n) if n.isdecimal() else (1, 0, n)))


def read_classes(examples: Examples, labels: Labels, options: ReadingOptions) -> Targets:
    """Read one class per row.

    A row whose class train does not have counts, and no answer to it is right: that is what such
    a row would meet in use.

    Raises
    ------
    InputError
        If train has none of the classes.
    """
    column = {name: k for k, name in enumerate(labels.class_names)}
    classes = np.array([column.get(name, -1) for name in examples.labels or ()], dtype=np.int64)
    values = np.eye(len(column) + 1, dtype=np.float32)[classes][:, :-1]
    findings = unknown_findings(examples, classes < 0, labels, part=options.part)
    return Targets(values, examples.counted, np.arange(len(classes) + 1), findings)


def unknown_findings(
    examples: Examples, unknown: BoolArray, labels: Labels, *, part: str
) -> tuple[Finding, ...]:
    """Count the rows of classes that train does not have.

    Raises
    ------
    InputError
        If these are all rows.
    """
    if unknown.all():
        found = (examples.labels or ("",))[0]
        raise InputError(
            f"train has none of the classes here (for instance {found!r})",
            where=examples.path,
            fix=did_you_mean(found, labels.class_names),
        )
    return row_findings(
        part,
        "rows_of_unknown_classes",
        unknown,
        where=examples.where,
        decision="train does not have their class; they count, and no answer to them is right",
    )


MULTICLASS = Task(
    summary="a sequence → one of several classes",
    level="sequence",
    outcome=CATEGORICAL,
    fit_labels=fit_classes,
    read_targets=read_classes,
)
