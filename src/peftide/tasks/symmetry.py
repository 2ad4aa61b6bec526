"""Homo-oligomer symmetry: a sequence → C1, C2, …, D2, …, H, O, T, I.

Classes as in Sledzieski et al. 2024 (doi 10.1073/pnas.2405840121); a protein may have several.
"""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from peftide.errors import InputError, did_you_mean, raise_problems
from peftide.outcomes.categorical import require_two_classes
from peftide.outcomes.outcome import Labels, ReadingOptions, Targets
from peftide.sequences.delimited import read_grid
from peftide.sequences.label_lists import label_list
from peftide.sequences.missing import missing_classes
from peftide.sequences.records import Examples, Finding

MERGED = {"C7-C9": ("C", 7, 9), "C10-C17": ("C", 10, 17), "D6-D12": ("D", 6, 12)}
SINGLE = ["C1", "C2", "C3", "C4", "C5", "C6", "D2", "D3", "D4", "D5", "H", "O", "T", "I"]
OTHER = "other"
SEPARATORS = re.compile(r"[,;|/\s]+")
HIGHEST_ORDER = 100
MAP_COLUMNS = ("label", "class")
MOST_LISTED = 20

PAPER_CLASSES = {name: name for name in SINGLE} | {
    f"{letter}{order}": name
    for name, (letter, low, high) in MERGED.items()
    for order in range(low, high + 1)
}
"""Schoenflies symbol → class: 17 classes, and `other` for cyclic or dihedral groups beyond."""

DEFAULT_MAP = (
    {f"{letter}{order}": OTHER for letter in "CD" for order in range(2, HIGHEST_ORDER)}
    | {"D1": OTHER, OTHER: OTHER}
    | {name: name for name in MERGED}
    | PAPER_CLASSES
)
DEFAULT_ORDER = [*SINGLE[:6], "C7-C9", "C10-C17", *SINGLE[6:10], "D6-D12", *SINGLE[10:], OTHER]


def read_class_map(path: Path) -> dict[str, str]:
    """Read a table with the columns `label` and `class`.

    Raises
    ------
    InputError
        If the columns are not there, a cell is empty, or a label has two classes.
    """
    grid = read_grid(path, MAP_COLUMNS)
    if not set(MAP_COLUMNS) <= set(grid.cells):
        raise InputError("no columns `label` and `class`", where=path, expected="a table with both")
    columns = ([cell.strip() for cell in grid.cells[name]] for name in MAP_COLUMNS)
    # in the order of the file, which becomes the order of the logits
    pairs = list(dict.fromkeys(zip(*columns, strict=True)))
    if not all(label and name for label, name in pairs):
        raise InputError("a row without label or class", where=path, expected="both in every row")
    counts = Counter(label.upper() for label, _ in pairs)
    repeated = [label for label, count in counts.items() if count > 1]
    if repeated:
        raise InputError(f"label {repeated[0]} has two classes", where=path)
    return dict(pairs)


def fit_symmetry(examples: Examples, options: ReadingOptions) -> Labels:
    """Fix the class map and count the classes of the training part.

    Raises
    ------
    InputError
        If a label is unknown or fewer than two classes occur.
    """
    if options.class_map is None:
        class_map, names = DEFAULT_MAP, tuple(DEFAULT_ORDER)
    else:
        class_map = read_class_map(options.class_map)
        names = tuple(dict.fromkeys(class_map.values()))
    labels = Labels(class_names=names, class_map=class_map)
    targets = read_symmetry(examples, labels, options)
    counts = require_two_classes(targets, names, str(examples.path))
    return Labels(names, tuple(counts.tolist()), class_map)


def read_symmetry(examples: Examples, labels: Labels, options: ReadingOptions) -> Targets:
    """Read one or several symmetry groups per row, separated by comma, semicolon, bar or space.

    Raises
    ------
    InputError
        Naming file and line of every label that the class map does not have.
    """
    groups = [split_groups(text) for text in examples.labels or ()]
    by_upper = {label.upper(): name for label, name in labels.class_map.items()}
    raise_problems(
        [
            f"{examples.where(row)}: unknown symmetry {group!r}. "
            + did_you_mean(group, labels.class_names)
            for row, row_groups in enumerate(groups)
            for group in row_groups
            if group.upper() not in by_upper
        ],
        fix="Another map of labels to classes is read with --class-map.",
    )
    column = {name: k for k, name in enumerate(labels.class_names)}
    values = np.zeros((len(groups), len(column)), dtype=np.float32)
    for row, row_groups in enumerate(groups):
        values[row, [column[by_upper[group.upper()]] for group in row_groups]] = 1
    values /= values.sum(axis=1, keepdims=True)
    findings = merged_findings(options.part, groups, by_upper)
    findings += missing_classes(options.part, groups, where=examples.where)
    return Targets(values, examples.counted, np.arange(len(groups) + 1), findings)


def split_groups(text: str) -> list[str]:
    """Return the symmetry groups that a cell names.

    Examples
    --------
    >>> split_groups("C2, D2")
    ['C2', 'D2']
    """
    found = label_list(text)
    if found is not None and found.entries:
        return list(found.entries)
    return SEPARATORS.split(text.strip(" ,;|/"))


def merged_findings(
    part: str, groups: list[list[str]], by_upper: Mapping[str, str]
) -> tuple[Finding, ...]:
    """Count the labels that were merged into each wider class."""
    merges: dict[str, Counter[str]] = {}
    for group in (group for row_groups in groups for group in row_groups):
        wider = by_upper[group.upper()]
        if group.upper() != wider.upper():
            merges.setdefault(wider, Counter())[group] += 1
    return tuple(
        Finding(part, "merged_labels", merged.total(), f"read as {wider}: {_listed(merged)}")
        for wider, merged in sorted(merges.items(), key=lambda item: -item[1].total())
    )


def _listed(merged: Counter[str]) -> str:
    """Return the groups of a wider class with their counts, the most frequent first."""
    first, others = merged.most_common(MOST_LISTED), len(merged) - MOST_LISTED
    shown = [f"{group} ({count:,})" for group, count in first]
    if others > 0:
        rest = merged.total() - sum(count for _, count in first)
        shown.append(f"{others} other groups ({rest:,})")
    return ", ".join(shown)
