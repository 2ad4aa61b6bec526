"""One of several classes per sequence or pair, whatever words the table has for them."""

import numpy as np

from peftide.errors import InputError
from peftide.sequences.records import Examples
from peftide.tasks.categorical import CATEGORICAL, membership, require_two_classes
from peftide.tasks.task import Labels, ReadingOptions, Targets, Task


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
    """Read one class per row; for one that train does not have see `membership`.

    Raises
    ------
    InputError
        If train has none of the classes.
    """
    texts = examples.labels or ()
    counted = examples.counted
    values, findings = membership(texts, labels, counted, part=options.part, where=examples.where)
    return Targets(values, counted, np.arange(len(texts) + 1), findings)


MULTICLASS = Task(
    summary="a sequence → one of several classes",
    level="sequence",
    outcome=CATEGORICAL,
    fit_labels=fit_classes,
    read_targets=read_classes,
)
