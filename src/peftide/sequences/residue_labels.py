"""Labels of residues come in; one entry per residue goes out, or the reason why lengths differ."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from peftide.sequences.label_lists import label_list
from peftide.sequences.records import Finding
from peftide.types import IntArray

GAPS = "-."
SPACED = re.compile(r"\S(?:\s*[,;|]\s*\S)+|\S(?:[ \t]+\S)+")
"""Characters with one kind of separator between them."""
BETWEEN = re.compile(r"\s*[,;|]\s*|[ \t]+")
NEAR = 5
"""A label is near its sequence in length if the difference is at most length / NEAR, or 2."""
TRACKING = 0.9
"""Correlation of lengths from which labels are as long as their sequences, but for a mistake."""
FEWEST_ROWS = 5
FEW_SIGNS, LONG = 4, 8
"""Labels this long, of so few different characters, are not words."""


def per_residue(text: str, length: int) -> Sequence[str]:
    """Return the entries of a label: the members of its list, else its words or characters.

    Words count if there is one per residue, or if each is a single character.

    Parameters
    ----------
    length
        Residues of the sequence. `0.5,` has two entries (the second is missing) for a sequence of
        two residues, else one.

    Examples
    --------
    >>> per_residue("HHE", 3), per_residue("0.5 nan", 2), per_residue("['H', 'E']", 2)
    ('HHE', ('0.5', 'nan'), ('H', 'E'))
    >>> per_residue("H E", 2), per_residue("H E", 3), per_residue("in, out", 2)
    (('H', 'E'), 'H E', ('in', 'out'))
    """
    text = _unwrapped(text, length)
    found = label_list(text)
    if found is None:
        return _spaced(text, length)
    if found.fault or not (found.marked or len(found.entries) == length):
        return text
    if found.open_end and len(found.entries) == length - 1:
        return (*found.entries, "")
    return found.entries


def _unwrapped(text: str, length: int) -> str:
    """Return a label without line breaks, if it is one character per residue then."""
    joined = "".join(text.splitlines())
    return joined if len(joined) == length or not any(map(str.isspace, joined)) else text


def _spaced(text: str, length: int) -> Sequence[str]:
    """Return the words of a label, or the label: in DSSP, a blank is a class of residues."""
    if len(text) == length:
        return text
    words = tuple(BETWEEN.split(text.strip()))
    one_each = len(words) == length > 1 and all(words)
    return words if one_each or SPACED.fullmatch(text.strip()) else text


def entry_counts(labels: Iterable[str], lengths: Iterable[int]) -> IntArray:
    """Return the number of entries of each label. Shape (B,)."""
    rows = zip(labels, lengths, strict=True)
    return np.array([len(per_residue(label, int(length))) for label, length in rows], np.int64)


def removed_stops(findings: Iterable[Finding]) -> int:
    """Return the number of sequences that lost a `*` at their end while they were read."""
    return sum(found.count for found in findings if found.kind == "trailing_stops")


@dataclass(frozen=True)
class Misfit:
    """Labels of residues that are longer or shorter than their sequences.

    Attributes
    ----------
    row
        The first row that does not fit.
    reason
        The difference and its probable source, in words.
    """

    row: int
    reason: str


def length_misfit(labels: Sequence[str], lengths: Sequence[int], *, stops: int) -> Misfit | None:
    """Return the misfit of labels that belong to residues; None if they are something else.

    Parameters
    ----------
    labels, lengths
        Text and residues of each row.
    stops
        Sequences that lost a `*` at their end.

    Examples
    --------
    >>> length_misfit(["0110000001", "011000000001"], [9, 11], stops=2).reason
    "2 of 2 labels are 1 longer than their sequences, which lost the '*' at their end"
    >>> length_misfit(["nucleus", "cytosol"], [8, 9], stops=0) is None
    True
    """
    counts, residues = entry_counts(labels, lengths), np.asarray(lengths, dtype=np.int64)
    misfits = np.flatnonzero(counts != residues)
    if not len(misfits) or not (
        has_sign_per_gap(labels, residues) or _track(labels, counts, residues)
    ):
        return None
    return Misfit(int(misfits[0]), difference(labels, residues, stops=stops))


def difference(labels: Sequence[str], lengths: IntArray, *, stops: int) -> str:
    """Return the difference of the lengths of labels and sequences, and its probable source."""
    apart = entry_counts(labels, lengths.tolist()) - lengths
    apart = apart[apart != 0]
    if not len(apart):
        return ""
    steps, rows = np.unique(apart, return_counts=True)
    step = int(steps[rows.argmax()])
    if has_sign_per_gap(labels, lengths):
        source = "the labels have a sign for each gap, which the sequences no longer have"
        return f"{len(apart):,} of {len(labels):,} labels differ from their sequences: {source}"
    if 2 * rows.max() <= len(apart):
        spread = f"{int(steps[0]):+} to {int(steps[-1]):+} entries"
        return f"{len(apart):,} of {len(labels):,} labels differ from their sequences by {spread}"
    longer = f"{abs(step):,} {'longer' if step > 0 else 'shorter'} than their sequences"
    return f"{rows.max():,} of {len(labels):,} labels are {longer}{_source(step, stops)}"


def _source(step: int, stops: int) -> str:
    if step == 1 and stops:
        return ", which lost the '*' at their end"
    return {
        1: ", perhaps by a sign for a start token or a stop",
        2: ", perhaps by signs for a start and an end token",
        -1: ", perhaps without the first or the last residue",
    }.get(step, "")


def has_sign_per_gap(labels: Sequence[str], lengths: IntArray) -> bool:
    """Return whether most labels are as long as their sequences once gaps are taken out.

    Examples
    --------
    >>> has_sign_per_gap(["HH--E", "H-H"], np.array([3, 2]))
    True
    """
    for gap in GAPS:
        gaps = np.array([label.count(gap) for label in labels])
        without = np.array([len(label) for label in labels]) - gaps
        if gaps.any() and 2 * ((without == lengths) & (lengths > 1)).sum() > len(labels):
            return True
    return False


def _track(labels: Sequence[str], counts: IntArray, lengths: IntArray) -> bool:
    """Return whether labels are nearly as long as their sequences, and this is no chance."""
    near = (np.abs(counts - lengths) <= np.maximum(2, lengths // NEAR)) & (counts > 1)
    if 2 * near.sum() <= len(labels):
        return False
    listed = np.array([len(label) for label in labels]) > counts
    if listed.all() and len(np.unique(counts)) == 1:
        return False  # columns of one table
    signs = {sign for label in labels for sign in label}
    if len(signs) <= FEW_SIGNS and np.median(counts) >= LONG:
        return True
    own, sequence = counts[near], lengths[near]
    varied = np.ptp(own) > 0 and np.ptp(sequence) > 0
    return bool(
        near.sum() >= FEWEST_ROWS and varied and np.corrcoef(own, sequence)[0, 1] > TRACKING
    )
