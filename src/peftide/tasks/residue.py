"""A class per residue: secondary structure, binding, …; one letter or digit per residue."""

import numpy as np

from peftide.errors import raise_problems
from peftide.sequences.records import Examples, Finding
from peftide.tasks.categorical import CATEGORICAL, require_two_classes
from peftide.tasks.task import Labels, ReadingOptions, Targets, Task
from peftide.types import BoolArray, IntArray


def fit_residue(examples: Examples, options: ReadingOptions) -> Labels:
    """Take the classes that occur in the training part, in alphabetical order.

    Raises
    ------
    InputError
        If a label does not fit its sequence or fewer than two classes occur.
    """
    check_lengths(examples, options)
    names = tuple(sorted(set("".join(examples.labels or ()))))
    targets = read_residue(examples, Labels(class_names=names), options)
    counts = require_two_classes(targets, names, str(examples.path))
    return Labels(names, tuple(counts.tolist()))


def read_residue(examples: Examples, labels: Labels, options: ReadingOptions) -> Targets:
    """Read one character per residue; residues beyond the crop are left out and counted.

    Raises
    ------
    InputError
        Naming file and line where a label or mask does not fit its sequence, or a class is new.
    """
    check_lengths(examples, options)
    offsets = np.concatenate([[0], np.cumsum(options.residues)])
    column = {name: k for k, name in enumerate(labels.class_names)}
    classes = np.full(offsets[-1], -1, dtype=np.int64)
    problems = []
    for row, text in enumerate(examples.labels or ()):
        unknown = set(text) - column.keys()
        problems += [f"{examples.where(row)}: unknown class {name!r}" for name in sorted(unknown)]
        seen = text[: options.residues[row]]
        classes[offsets[row] : offsets[row + 1]] = [column.get(letter, 0) for letter in seen]
    raise_problems(
        problems, fix=f"Classes of the training part: {', '.join(column)}. Leave these rows out."
    )
    values = np.eye(len(column), dtype=np.float32)[classes]
    counted = unmasked(examples, options, offsets)
    return Targets(values, counted, offsets, crop_findings(options))


def check_lengths(examples: Examples, options: ReadingOptions) -> None:
    """Raise if a label or mask has not one character per residue.

    Raises
    ------
    InputError
        Naming file and line of each.
    """
    problems = [
        f"{examples.where(row)}: {kind} of {len(texts[row])} characters "
        f"for a sequence of {options.lengths[row]} residues"
        for kind, texts in (("label", examples.labels), ("mask", examples.masks))
        if texts is not None
        for row in range(len(examples))
        if len(texts[row]) != options.lengths[row]
    ]
    if examples.masks is not None:
        problems += [
            f"{examples.where(row)}: mask with other characters than 0 and 1"
            for row, mask in enumerate(examples.masks)
            if set(mask) - {"0", "1"}
        ]
    raise_problems(problems, fix="Residue labels have one character per residue.")


def unmasked(examples: Examples, options: ReadingOptions, offsets: IntArray) -> BoolArray:
    """Return which residues count: mask 1, in rows that count. Shape (R,)."""
    counted = np.repeat(examples.counted, options.residues)
    for row, mask in enumerate(examples.masks or ()):
        seen = np.frombuffer(mask[: options.residues[row]].encode(), dtype=np.uint8) == ord("1")
        counted[offsets[row] : offsets[row + 1]] &= seen
    return counted


def crop_findings(options: ReadingOptions) -> tuple[Finding, ...]:
    """Count residue labels beyond the crop."""
    lost = int((options.lengths - options.residues).sum())
    if not lost:
        return ()
    decision = "beyond --max-length: neither trained on nor scored"
    return (Finding(options.part, "cropped_residue_labels", lost, decision),)


RESIDUE = Task(
    summary="a class per residue, such as secondary structure",
    level="residue",
    outcome=CATEGORICAL,
    fit_labels=fit_residue,
    read_targets=read_residue,
)
