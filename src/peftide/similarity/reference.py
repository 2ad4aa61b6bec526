"""Sequences → a reference, and the changes of each sequence from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyopal

from peftide.similarity.smith_waterman import (
    GAP_EXTEND,
    GAP_OPEN,
    MATRIX,
    MOST_CELLS,
    known_letters,
)
from peftide.types import ByteArray, IntArray

DELETED, INSERTED = ord("-"), ord("+")
"""Letters of a missing residue, and of residues inserted after a site."""

LEAST_IDENTICAL = 0.5
"""Share of the sites of the reference whose residue a variant shares."""

LEAST_VARIANTS = 0.9
"""Share of the sequences that must be variants of one."""

MOST_SAMPLED = 200
FEWEST = 10


@dataclass(frozen=True)
class Changes:
    """Differences of sequences from a reference.

    Attributes
    ----------
    sequence, site, letter
        Number of the sequence, index of the site in the reference, and ASCII code of the residue
        there, `DELETED` or `INSERTED`. Shape (E,) each.
    """

    sequence: IntArray
    site: IntArray
    letter: IntArray


@dataclass(frozen=True)
class VariantSet:
    """Sequences that are all variants of one.

    Attributes
    ----------
    reference
        The wild type, or the commonest residue of each site.
    changes
        Differences of each sequence from it.
    """

    reference: str
    changes: Changes


def variants_of(
    sequences: Sequence[str], *, train: Sequence[str] = (), wild_type: str | None = None
) -> VariantSet | None:
    """Return the changes of sequences that all share half of their residues with one, else None.

    Parameters
    ----------
    train
        Sequences whose commonest residues are the reference; default, and if they are few: all.
    wild_type
        The reference, if it is known.

    Examples
    --------
    >>> found = variants_of(["MKVLAG", "MKVLAC", "MKWLAG"] * 4)
    >>> found.reference, np.unique(found.changes.site).tolist()
    ('MKVLAG', [2, 5])
    """
    reference = wild_type or reference_of(train if len(train) >= FEWEST else sequences)
    if reference is None:
        return None
    found = changes(sequences, reference)
    replaced = np.bincount(found.sequence[found.letter != INSERTED], minlength=len(sequences))
    near = replaced <= (1 - LEAST_IDENTICAL) * len(reference)
    return VariantSet(reference, found) if near.all() else None


def reference_of(sequences: Sequence[str]) -> str | None:
    """Return the commonest residue of each site; None unless the sequences are variants of one.

    At most 200 sequences, evenly drawn, are compared with it: at least 90 % must share at least
    half of its residues. Sites are counted in the sequences of the commonest length.

    Examples
    --------
    >>> reference_of(["MKVLAG", "MKVLAC", "MKWLAG", "MKVLAG", "MRVLAG"] * 2)
    'MKVLAG'
    >>> reference_of(["MKVLAG", "WWYYPP"] * 5) is None
    True
    """
    if len(sequences) < FEWEST:
        return None
    sample = sequences[:: -(-len(sequences) // MOST_SAMPLED)]
    reference = consensus(sample)
    length = len(reference)
    alike = [text for text in sample if LEAST_IDENTICAL * length <= len(text) <= 2 * length]
    if len(alike) < LEAST_VARIANTS * len(sample) or length**2 > MOST_CELLS:
        return None
    near = identical(alike, reference) >= LEAST_IDENTICAL * length
    return consensus(sequences) if near.sum() >= LEAST_VARIANTS * len(sample) else None


def consensus(sequences: Sequence[str]) -> str:
    """Return the commonest letter of each site in the sequences of the commonest length.

    Examples
    --------
    >>> consensus(["MKV", "MRV", "MKW", "M"])
    'MKV'
    """
    lengths = np.array([len(sequence) for sequence in sequences])
    length = int(np.bincount(lengths).argmax())
    letters = _letters([text for text in sequences if len(text) == length])
    return "".join(chr(np.bincount(column).argmax()) for column in letters.T)


def identical(sequences: Sequence[str], reference: str) -> IntArray:
    """Return the number of sites at which each sequence has the residue of the reference.

    Examples
    --------
    >>> identical(["MKVLAG", "MKLAG"], "MKVLAG").tolist()
    [6, 5]
    """
    found = changes(sequences, reference)
    replaced = found.letter != INSERTED
    return len(reference) - np.bincount(found.sequence[replaced], minlength=len(sequences))


def changes(sequences: Sequence[str], reference: str) -> Changes:
    """Return how sequences differ from a reference.

    A sequence as long as the reference is compared site by site, if at least half of its residues
    are equal; others are aligned from end to end with gaps.

    Examples
    --------
    >>> found = changes(["MKVLAG", "MRVLAG", "MKLAG"], "MKVLAG")
    >>> found.sequence.tolist(), found.site.tolist(), bytes(found.letter.tolist())
    ([1, 2], [1, 2], b'R-')
    """
    codes = _letters([reference])[0]
    as_long = np.array([len(sequence) == len(reference) for sequence in sequences], dtype=bool)
    own = np.flatnonzero(as_long)
    there = _letters([sequences[number] for number in own.tolist()], length=len(reference))
    near = np.count_nonzero(there == codes, axis=1) >= LEAST_IDENTICAL * len(reference)
    row, site = np.nonzero((there != codes) & near[:, None])
    found = [np.stack([own[row], site, there[row, site]])]
    rest = np.setdiff1d(np.arange(len(sequences)), own[near])
    longest = MOST_CELLS // max(len(reference), 1)
    found += _aligned([sequences[int(number)][:longest] for number in rest], rest, reference)
    return Changes(*np.concatenate(found, axis=1).astype(np.int64))


def _aligned(sequences: Sequence[str], numbers: IntArray, reference: str) -> list[IntArray]:
    """Return number, site and letter of each change, from alignments with gaps."""
    if not sequences:
        return []
    aligner = pyopal.Aligner(MATRIX, gap_open=GAP_OPEN, gap_extend=GAP_EXTEND)
    database = pyopal.Database(map(known_letters, sequences), alphabet=aligner.alphabet)
    results = aligner.align(
        known_letters(reference), database, mode="full", overflow="simple", algorithm="nw"
    )
    found = []
    for number, sequence, result in zip(numbers.tolist(), sequences, results, strict=True):
        site, letter = _along(result.alignment, _letters([sequence])[0])
        found.append(np.stack([np.full(len(site), number), site, letter]))
    return found


def _along(alignment: str, own: ByteArray) -> tuple[IntArray, IntArray]:
    """Return sites and letters of the changes in an alignment, in letters M, X, I and D."""
    steps = np.frombuffer(alignment.encode("ascii"), dtype=np.uint8)
    match, mismatch, only_own, only_reference = (steps == ord(letter) for letter in "MXID")
    site = np.cumsum(match | mismatch | only_reference) - 1
    place = np.cumsum(match | mismatch | only_own) - 1
    letter = np.where(only_reference, DELETED, INSERTED)
    letter[mismatch] = own[place[mismatch]]
    changed = ~match
    found = np.unique(np.stack([np.maximum(site, 0), letter])[:, changed], axis=1)
    return found[0], found[1]


def _letters(sequences: Sequence[str], *, length: int = -1) -> ByteArray:
    """Return the ASCII codes of sequences of one length, in upper case. Shape (P, L)."""
    text = "".join(sequences).upper().encode("ascii", "replace")
    return np.frombuffer(text, dtype=np.uint8).reshape(len(sequences), length)
