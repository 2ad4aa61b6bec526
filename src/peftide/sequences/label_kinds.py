"""Label texts come in; their kind goes out: binary, numbers, classes or per residue."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from peftide.sequences.yes_no import is_yes

LabelKind = Literal["yes_no", "classes", "values", "residues"]
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
MOST_CLASSES = 30
"""Numbers with more distinct values than this are values, not classes."""


def are_yes_no(labels: Iterable[str]) -> bool:
    """Return whether every label is binary (a spelling of yes or no)."""
    return all(is_yes(label) is not None for label in labels)


def are_per_residue(labels: Sequence[str], lengths: Sequence[int]) -> bool:
    """Return whether most labels are as long as their sequences; a few may be mistakes.

    A single letter is never read as a per-residue label.

    Parameters
    ----------
    labels
        Text of each row.
    lengths
        Number of residues in the sequence of each row.

    Examples
    --------
    (["HHE", "H"], [3, 9]), are_per_residue(["HHE", "HH", "H"], [3, 2, 9])
    (False, True)
    """
    fitting = sum(len(label) == n > 1 for label, n in zip(labels, lengths, strict=True))
    return 2 * fitting > len(labels)


def is_number(label: str) -> bool:
    """Return whether a label is a finite number with a decimal point, if any.

    Examples
    --------
    >>> is_number(" -1.5e3"), is_number("1,5"), is_number("nan")
    (True, False, False)
    """
    return NUMBER.fullmatch(label.strip()) is not None


def label_kind(labels: Sequence[str], lengths: Sequence[int] | None) -> LabelKind:
    """Return the kind of the labels of a data set.

    Parameters
    ----------
    labels
        Text of each row.
    lengths
        Number of residues in the sequence of each row, or None for pairs.

    Examples
    --------
    >>> label_kind(["1", "no"], None), label_kind(["C2", "D3"], None)
    ('yes_no', 'classes')
    """
    distinct = dict.fromkeys(labels)
    if are_yes_no(distinct):
        return "yes_no"
    if lengths is not None and are_per_residue(labels, lengths):
        return "residues"
    texts = {label.strip() for label in distinct}
    return "values" if len(texts) > MOST_CLASSES and all(map(is_number, texts)) else "classes"
