"""A class per residue: secondary structure, binding, …; one letter or digit per residue."""

from itertools import compress

import numpy as np

from peftide.errors import raise_problems
from peftide.outcomes.categorical import membership, require_two_classes
from peftide.outcomes.outcome import Labels, ReadingOptions, Targets
from peftide.sequences.records import Examples, Finding
from peftide.types import BoolArray


def fit_residue(examples: Examples, options: ReadingOptions) -> Labels:
    """Take the classes that occur in the training part (not masked), in alphabetical order.

    Raises
    ------
    InputError
        If a label does not fit its sequence or fewer than two classes occur.
    """
    check_lengths(examples, options)
    counted = unmasked(examples, options)
    names = tuple(sorted(set(compress(seen_letters(examples, options), counted))))
    targets = read_residue(examples, Labels(class_names=names), options)
    counts = require_two_classes(targets, names, str(examples.path))
    return Labels(names, tuple(counts.tolist()))


def read_residue(examples: Examples, labels: Labels, options: ReadingOptions) -> Targets:
    """Read one character per residue; residues beyond the crop are left out and counted.

    Raises
    ------
    InputError
        Naming file and line where a label or mask does not fit its sequence, or if train has none
        of the classes.
    """
    check_lengths(examples, options)
    offsets = np.concatenate([[0], np.cumsum(options.residues)])
    counted = unmasked(examples, options)

    def where(residue: int) -> str:
        return examples.where(int(np.searchsorted(offsets, residue, side="right")) - 1)

    values, findings = membership(
        seen_letters(examples, options), labels, counted, part=options.part, where=where
    )
    return Targets(values, counted, offsets, crop_findings(options) + findings)


def check_lengths(examples: Examples, options: ReadingOptions) -> None:
    """Raise if a label or mask has not one character per residue.

    Raises
    ------
    InputError
        Naming file and line of each.
    """
    misfits = [
        f"{examples.where(row)}: {kind} of {len(texts[row])} characters "
        f"for a sequence of {options.lengths[row]} residues"
        for kind, texts in (("label", examples.labels), ("mask", examples.masks))
        if texts is not None
        for row in range(len(examples))
        if len(texts[row]) != options.lengths[row]
    ]
    raise_problems(misfits, fix="Labels and masks have one character per residue.")
    strange = [
        f"{examples.where(row)}: mask with other characters than 0 and 1"
        for row, mask in enumerate(examples.masks or ())
        if set(mask) - {"0", "1"}
    ]
    raise_problems(strange, fix="A mask has a 1 for each residue that counts, else a 0.")


def seen_letters(examples: Examples, options: ReadingOptions) -> str:
    """Return the labels of all residues that the model sees, one row's after the other's."""
    rows = zip(examples.labels or (), options.residues, strict=True)
    return "".join(text[:seen] for text, seen in rows)


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
