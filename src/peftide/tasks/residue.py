"""A class per residue: secondary structure, binding, …; one character or entry per residue."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, compress

import numpy as np

from peftide.errors import raise_problems
from peftide.outcomes.categorical import membership, require_two_classes
from peftide.outcomes.outcome import Labels, ReadingOptions, Targets
from peftide.quantities import count_of
from peftide.sequences.label_kinds import shortened
from peftide.sequences.label_lists import is_missing, list_fault
from peftide.sequences.missing import looks_missing_label, missing_residues
from peftide.sequences.records import Examples, Finding
from peftide.sequences.residue_labels import difference, entry_counts, per_residue
from peftide.sequences.tallies import row_findings
from peftide.types import BoolArray, IntArray


def fit_residue(examples: Examples, options: ReadingOptions) -> Labels:
    """Take the classes that occur in the training part (not masked), in alphabetical order.

    Raises
    ------
    InputError
        If a label does not fit its sequence or fewer than two classes occur.
    """
    seen = read_entries(examples, options)
    names = tuple(sorted(set(compress(seen.entries, seen.counted))))
    targets = read_residue(examples, Labels(class_names=names), options)
    counts = require_two_classes(targets, names, str(examples.path))
    return Labels(names, tuple(counts.tolist()))


def read_residue(examples: Examples, labels: Labels, options: ReadingOptions) -> Targets:
    """Read one class per residue; residues beyond the crop are left out and counted.

    Raises
    ------
    InputError
        Naming file and line where a label or mask does not fit its sequence, or if train has none
        of the classes.
    """
    seen = read_entries(examples, options)
    values, findings = membership(
        seen.entries, labels, seen.counted, part=options.part, where=seen.where
    )
    parts = zip(seen.offsets[:-1], seen.offsets[1:], strict=True)
    rows = [frozenset(compress(seen.entries[a:b], seen.counted[a:b])) for a, b in parts]
    findings += missing_residues(options.part, rows, where=examples.where)
    return Targets(values, seen.counted, seen.offsets, seen.findings + findings)


@dataclass(frozen=True)
class SeenEntries:
    """The labels of all residues that the model sees, one row's after the other's.

    Attributes
    ----------
    entries
        Label of each residue. Length R.
    counted
        Whether the residue enters training and metrics. Shape (R,).
    offsets
        Residues of row i are `offsets[i]:offsets[i + 1]`. Shape (B + 1,).
    where
        Place of a residue by its index, for messages.
    findings
        Counts of residues that are left out.
    """

    entries: Sequence[str]
    counted: BoolArray
    offsets: IntArray
    where: Callable[[int], str]
    findings: tuple[Finding, ...]


def read_entries(examples: Examples, options: ReadingOptions) -> SeenEntries:
    """Read one entry per residue: a character, or an entry of a list.

    Missing entries of lists (`nan`, `NA`, empty) are masked and counted.

    Raises
    ------
    InputError
        Naming file and line where a label or mask does not fit its sequence.
    """
    check_lengths(examples, options)
    offsets = np.concatenate([[0], np.cumsum(options.residues)]).astype(np.int64)
    texts = zip(examples.labels or (), options.lengths.tolist(), strict=True)
    rows = [per_residue(text, length) for text, length in texts]
    listed = [not isinstance(row, str) for row in rows]
    seen = [row[:count] for row, count in zip(rows, options.residues, strict=True)]
    entries = "".join(map(str, seen)) if not any(listed) else list(chain.from_iterable(seen))
    counted = unmasked(examples, options)
    missing = np.zeros(len(entries), dtype=bool)
    for row in np.flatnonzero(listed):
        missing[offsets[row] : offsets[row + 1]] = [is_missing(entry) for entry in seen[row]]

    def where(residue: int) -> str:
        row = int(np.searchsorted(offsets, residue, side="right")) - 1
        return examples.where(row)

    findings = crop_findings(options) + row_findings(
        options.part,
        "missing_residue_labels",
        missing & counted,
        where=where,
        decision="read as masked: neither trained on nor scored",
    )
    return SeenEntries(entries, counted & ~missing, offsets, where, findings)


def check_lengths(examples: Examples, options: ReadingOptions) -> None:
    """Raise if a label or mask has not one entry per residue.

    Raises
    ------
    InputError
        Naming file and line of each, and the probable source of the difference.
    """
    labels, lengths = examples.labels or (), options.lengths.tolist()
    wanted = options.lengths[: len(labels)]  # none without labels
    wrong = np.flatnonzero(entry_counts(labels, wanted.tolist()) != wanted)
    misfits = [_misfit(examples, row, lengths[row]) for row in wrong.tolist()]
    source = difference(labels, options.lengths, stops=options.stops) if misfits else ""
    misfits += [
        f"{examples.where(row)}: mask of {count_of(len(mask), 'character')} for a sequence of "
        f"{count_of(length, 'residue')}{_lost_zeros(mask, length)}"
        for row, (mask, length) in enumerate(zip(examples.masks or (), lengths, strict=False))
        if len(mask) != length
    ]
    advice = "Labels and masks have one character, and lists one entry, per residue"
    raise_problems(misfits, fix=f"{advice}; {source}." if source else f"{advice}.")
    strange = [
        f"{examples.where(row)}: mask with other characters than 0 and 1"
        for row, mask in enumerate(examples.masks or ())
        if set(mask) - {"0", "1"}
    ]
    raise_problems(strange, fix="A mask has a 1 for each residue that counts, else a 0.")


def _lost_zeros(mask: str, length: int) -> str:
    """Return why a mask may be too short, as text after the difference."""
    if len(mask) >= length or not mask.startswith("1"):
        return ""
    lost = count_of(length - len(mask), "zero")
    return (
        f": a spreadsheet or pandas may have removed {lost} from its start; read the column as "
        "text (in pandas: dtype=str)"
    )


def _misfit(examples: Examples, row: int, length: int) -> str:
    text = (examples.labels or ())[row]
    fault = list_fault(text)
    if fault:
        return f"{examples.where(row)}: label {shortened(text)} {fault}"
    if looks_missing_label(text):
        return (
            f"{examples.where(row)}: label {shortened(text)} looks like a missing value: "
            "leave out the row"
        )
    entries = per_residue(text, length)
    what = "characters" if isinstance(entries, str) else "entries"
    return (
        f"{examples.where(row)}: label of {len(entries)} {what} for a sequence of {length} residues"
    )


def unmasked(examples: Examples, options: ReadingOptions) -> BoolArray:
    """Return whether each residue counts: its row counts, and its mask is 1. Shape (R,)."""
    counted = np.repeat(examples.counted, options.residues)
    if examples.masks is None:
        return counted
    rows = zip(examples.masks, options.residues, strict=True)
    seen = "".join(mask[:residues] for mask, residues in rows)
    return counted & (np.frombuffer(seen.encode(), dtype=np.uint8) == ord("1"))


def crop_findings(options: ReadingOptions) -> tuple[Finding, ...]:
    """Count residue labels beyond the crop."""
    lost = int((options.lengths - options.residues).sum())
    if not lost:
        return ()
    decision = "beyond --max-length: neither trained on nor scored"
    return (Finding(options.part, "cropped_residue_labels", lost, decision),)
