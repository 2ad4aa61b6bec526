"""Label texts come in; their kind goes out: binary, numbers, classes or per residue."""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Literal

from peftide.sequences.label_lists import NUMBER, is_missing, is_numeral
from peftide.sequences.lookalikes import strange_letters
from peftide.sequences.residue_labels import FEW_SIGNS, per_residue
from peftide.sequences.yes_no import is_yes

LabelKind = Literal["yes_no", "classes", "values", "residues", "residue_values"]
MOST_CLASSES = 30
"""Numbers with more distinct values than this are values, not classes."""
WHOLE = re.compile(r"[+-]?\d+")
WHOLE_VALUE = re.compile(r"[+-]?\d+(\.0*)?")
TOO_MANY_DIGITS = re.compile(r"[+-]?\d{16,}")
"""Whole numbers that a float cannot tell apart: ids, or labels of residues."""
SHOWN_CHARACTERS = 40


def are_yes_no(labels: Iterable[str]) -> bool:
    """Return whether every label is binary (a spelling of yes or no)."""
    return all(is_yes(label) is not None for label in labels)


def are_per_residue(labels: Sequence[str], lengths: Sequence[int]) -> bool:
    """Return whether most labels are as long as their sequences; a few may be mistakes.

    A single letter is never read as a per-residue label.

    Parameters
    ----------
    labels
        Text of each row: a character per residue, or a list with an entry per residue.
    lengths
        Number of residues in the sequence of each row.

    Examples
    --------
    >>> are_per_residue(["HHE", "H"], [3, 9]), are_per_residue(["HHE", "0.1,2", "H"], [3, 2, 9])
    (False, True)
    """
    rows = zip(labels, lengths, strict=True)
    fitting = [label for label, n in rows if len(per_residue(label, n)) == n > 1]
    if 2 * len(fitting) <= len(labels):
        return False
    return len({*map(len, fitting)}) > 1 or not _are_words(fitting)


def _are_words(labels: Sequence[str]) -> bool:
    """Return whether labels of one length are decimal numbers, or words that come again and again.

    Peptides of one length may be as long as `0.1234567` or `nonbinder` by chance.
    """
    distinct = {*labels}
    if all(NUMBER.fullmatch(label) and not WHOLE.fullmatch(label) for label in distinct):
        return True
    letters = {letter for label in distinct for letter in label}
    return len(letters) > FEW_SIGNS and 2 * len(distinct) <= len(labels)


def residue_numbers(labels: Sequence[str], lengths: Sequence[int]) -> set[str]:
    """Return the different numbers of labels that are lists with one number per residue.

    Empty if an entry is no number, or no label is a list.

    Examples
    --------
    >>> sorted(residue_numbers(["0.5 1", "2 nan 3"], [2, 3])), residue_numbers(["HE"], [2])
    (['0.5', '1', '2', '3'], set())
    """
    rows = [per_residue(label, n) for label, n in zip(labels, lengths, strict=True)]
    fitting = [row for row, n in zip(rows, lengths, strict=True) if len(row) == n > 1]
    if all(isinstance(row, str) for row in fitting):
        return set()
    known = {entry for entry in set().union(*fitting) if not is_missing(entry)}
    return known if all(map(is_numeral, known)) else set()


def are_whole(numbers: Iterable[str]) -> bool:
    """Return whether all numbers are whole, as the names of classes may be."""
    return all(map(WHOLE_VALUE.fullmatch, numbers))


def is_number(label: str) -> bool:
    """Return whether a label is a finite number with a decimal point, if any.

    A whole number of more than 15 digits is none: it is an id, or labels of residues.

    Examples
    --------
    >>> is_number(" -1.5e3"), is_number("1,5"), is_number("nan"), is_number("0" * 20)
    (True, False, False, False)
    """
    text = label.strip()
    if not NUMBER.fullmatch(text) or TOO_MANY_DIGITS.fullmatch(text):
        return False
    return math.isfinite(float(text))


def shortened(label: str) -> str:
    r"""Return a label in quotes, as messages show it: long ones are cut, with their length.

    Letters that only look like Latin ones are named.

    Examples
    --------
    >>> shortened("C2"), shortened("1" * 5000)[-20:]
    ("'C2'", "' (5,000 characters)")
    >>> print(shortened("n\u043e"))
    'nо' (with CYRILLIC SMALL LETTER O)
    """
    if len(label) <= SHOWN_CHARACTERS:
        strange = strange_letters(label)
        return f"{label!r} (with {strange})" if strange else repr(label)
    return f"{label[:SHOWN_CHARACTERS] + '…'!r} ({len(label):,} characters)"


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
    >>> [label_kind(labels, None) for labels in (["1", "no"], ["C2", "D3"], ["2", "0.5"])]
    ['yes_no', 'classes', 'values']
    """
    distinct = dict.fromkeys(labels)
    if are_yes_no(distinct):
        return "yes_no"
    if lengths is not None and are_per_residue(labels, lengths):
        numbers = residue_numbers(labels, lengths)
        as_values = not are_whole(numbers) or len(numbers) > MOST_CLASSES
        return "residue_values" if numbers and as_values else "residues"
    texts = {label.strip() for label in distinct}
    may_be_values = len(texts) > MOST_CLASSES or not are_whole(texts)
    return "values" if may_be_values and all(map(is_number, texts)) else "classes"
