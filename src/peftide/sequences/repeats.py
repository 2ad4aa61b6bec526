"""Rows of a part come in; a mask of counted rows goes out, with findings on repeats.

Proteins are compared by sequence: two ids with the same sequence are one protein. Labels are
compared together with their masks.
"""

from collections.abc import Collection, Hashable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from peftide.errors import InputError
from peftide.sequences.label_lists import is_missing, label_list
from peftide.sequences.records import Examples, Finding, Proteins
from peftide.sequences.residue_labels import per_residue
from peftide.sequences.tallies import SHOWN_EXAMPLES, row_findings
from peftide.types import BoolArray, IntArray

MASKED = "\0"
"""Stands for a masked residue in a visible label."""
SETS = ("{", "set(", "frozenset(")
"""Beginnings of the lists whose order means nothing."""


def distinct_sequences(proteins: Proteins) -> IntArray:
    """Return a number for each protein's sequence; equal sequences have equal numbers.

    Returns
    -------
    IntArray
        Numbers from 0, in order of first appearance. Shape (P,).
    """
    return pd.factorize(np.array(proteins.sequences, dtype=object))[0].astype(np.int64)


def distinct_examples(members: IntArray, sequence_numbers: IntArray) -> IntArray:
    """Return a number for the example of each row: its sequence, or its unordered pair.

    Parameters
    ----------
    members
        Index of each row's proteins. Shape (B, A).
    sequence_numbers
        As `distinct_sequences` gives them. Shape (P,).

    Returns
    -------
    IntArray
        Numbers from 0, in order of first appearance. Shape (B,).

    Examples
    --------
    >>> pairs = np.array([[0, 1], [1, 0], [1, 2]])
    >>> distinct_examples(pairs, np.arange(3)).tolist()
    [0, 0, 1]
    """
    ordered = np.sort(sequence_numbers[members], axis=1)
    key = ordered[:, 0] * (len(sequence_numbers) + 1) + ordered[:, -1]
    return pd.factorize(key)[0].astype(np.int64)


def judge_rows(
    part: str, examples: Examples, sequence_numbers: IntArray, *, self_pairs: str, strict: bool
) -> tuple[BoolArray, tuple[Finding, ...]]:
    """Mask of the rows that count, and findings.

    A repeat of an earlier row with the same label does not count. A protein paired with itself
    counts only if `self_pairs` is "keep". Rows with contradictory labels count. Without labels,
    nothing is judged. Of labels with a mask, only the residues that count are compared: two rows
    repeat each other if the same residues count and have the same labels, and contradict each
    other if a residue that counts in both has two labels.

    Parameters
    ----------
    part
        Name of the part, for the findings.
    examples
        The rows.
    sequence_numbers
        As `distinct_sequences` gives them. Shape (P,).
    self_pairs
        "exclude" or "keep".
    strict
        Whether contradictory labels are an error.

    Returns
    -------
    BoolArray
        True for the rows that count. Shape (B,).
    tuple of Finding
        Repeats, self-pairs and contradictions.

    Raises
    ------
    InputError
        Under `strict`, if rows contradict each other.
    """
    if examples.labels is None or not all(examples.labels):
        return np.ones(len(examples), dtype=bool), ()
    asked = distinct_examples(examples.members, sequence_numbers)
    labels, texts = pd.factorize(pd.Series(visible_labels(examples), dtype=object))
    said = asked * len(texts) + labels
    repeated, repeat_findings = _repeats(part, examples, sequence_numbers, said=said)
    selfs, self_findings = _self_pairs(part, examples, sequence_numbers, self_pairs=self_pairs)
    contradictions = _contradictions(part, examples, asked, strict=strict)
    counted = ~repeated if self_pairs == "keep" else ~(repeated | selfs)
    return counted, self_findings + repeat_findings + contradictions


def visible_labels(examples: Examples) -> list[Hashable]:
    """Return each label in a form that is equal for labels of one meaning, masked residues hidden.

    A list becomes its entries; of a Python set, the order makes no difference. A label that does
    not fit its mask stays whole; reading the labels refuses it.
    """
    read = {label: _entries(label) for label in dict.fromkeys(examples.labels or ())}
    labels = [read[label] for label in examples.labels or ()]
    if examples.masks is None:
        return [label if isinstance(label, str) else tuple(label) for label in labels]
    return [_visible(*row) for row in zip(labels, examples.masks, strict=True)]


def _entries(label: str) -> Sequence[str]:
    found = label_list(label)
    if found is None or found.fault:
        return label
    if label.lstrip().startswith(SETS):
        return tuple(sorted(found.entries))
    return tuple(MASKED if is_missing(entry) else entry for entry in found.entries)


def _visible(label: Sequence[str], mask: str) -> Hashable:
    shown = label = per_residue(label, len(mask)) if isinstance(label, str) else label
    if len(label) == len(mask):
        seen = zip(label, mask, strict=True)
        shown = [entry if seen == "1" else MASKED for entry, seen in seen]
    return "".join(shown) if isinstance(label, str) else tuple(shown)


def _contradict(labels: Collection[Sequence[str]]) -> bool:
    """Return whether different visible labels of one example give a residue two labels."""
    if len({len(label) for label in labels}) > 1:
        return True
    return any(len({*letters} - {MASKED}) > 1 for letters in zip(*labels, strict=True))


def _repeats(
    part: str, examples: Examples, sequence_numbers: IntArray, *, said: IntArray
) -> tuple[BoolArray, tuple[Finding, ...]]:
    _, first, group = np.unique(said, return_index=True, return_inverse=True)
    original = first[group]
    repeated = original != np.arange(len(said))
    left = sequence_numbers[examples.members[:, 0]]
    swapped = repeated & (left != left[original])
    findings = row_findings(
        part,
        "repeated_examples",
        repeated,
        where=lambda row: f"{examples.where(row)} repeats line {examples.lines[original[row]]}",
        decision="predicted, but only the first occurrence counts",
    )
    findings += row_findings(
        part,
        "swapped_repeats",
        swapped,
        where=lambda row: f"{examples.where(row)} swaps line {examples.lines[original[row]]}",
        decision="B-A after an earlier A-B",
    )
    return repeated, findings


def _self_pairs(
    part: str, examples: Examples, sequence_numbers: IntArray, *, self_pairs: str
) -> tuple[BoolArray, tuple[Finding, ...]]:
    if examples.members.shape[1] == 1:
        return np.zeros(len(examples), dtype=bool), ()
    numbers = sequence_numbers[examples.members]
    selfs = numbers[:, 0] == numbers[:, 1]
    kept = "kept in training and metrics"
    left_out = "predicted, but left out of training and metrics (`--self-pairs keep` keeps them)"
    return selfs, row_findings(
        part,
        "self_pairs",
        selfs,
        where=examples.where,
        decision=kept if self_pairs == "keep" else left_out,
    )


def _contradictions(
    part: str, examples: Examples, asked: IntArray, *, strict: bool
) -> tuple[Finding, ...]:
    rows = pd.DataFrame({"asked": asked, "label": visible_labels(examples)}).drop_duplicates()
    several = rows[rows["asked"].duplicated(keep=False)].groupby("asked", sort=False)
    contradicting = [np.asarray(of.index) for _, of in several if _contradict(of["label"].tolist())]
    if not contradicting:
        return ()
    lines = [examples.lines[found] for found in contradicting[:SHOWN_EXAMPLES]]
    places = tuple(_lines(examples.path, found) for found in lines)
    what = "pairs" if examples.members.shape[1] == 2 else "sequences"
    if strict:
        raise InputError(
            f"contradictory labels in {len(contradicting):,} of the {what} ({'; '.join(places)})",
            where=part,
            fix="Correct the table, or leave out --strict to keep and count them",
        )
    decision = f"{what} with more than one label; all their rows count"
    return (Finding(part, "contradictory_labels", len(contradicting), decision, places),)


def _lines(path: Path, lines: IntArray) -> str:
    return f"{path} lines {', '.join(str(line) for line in lines[:SHOWN_EXAMPLES])}"
