"""A data set comes in; it goes out with shared proteins refused, counted or removed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from peftide.errors import InputError, raise_problems
from peftide.quantities import count_of
from peftide.sequences.dataset import keep_used_proteins, select_rows
from peftide.sequences.records import Dataset, Examples, Finding
from peftide.sequences.repeats import distinct_sequences
from peftide.sequences.tallies import SHOWN_EXAMPLES, row_findings
from peftide.types import IntArray

FIX = (
    "A score on proteins seen in training says little about new proteins. "
    "`--shared-proteins drop` leaves out the training rows with shared proteins, "
    "`--shared-proteins allow` keeps and counts them"
)


def check_shared_proteins(
    dataset: Dataset,
    policy: Literal["error", "allow", "drop"],
    *,
    trained: Sequence[str] = ("train",),
) -> Dataset:
    """Refuse, count or remove proteins of later parts that are also in a training part.

    Proteins are compared by sequence. Proteins shared by validation and a test part are only
    counted. Call this before `hold_out_validation`, whose kind "random" shares proteins of pairs.

    Parameters
    ----------
    dataset
        The parts.
    policy
        "error" raises, "allow" counts, "drop" removes the rows of the trained parts.
    trained
        Names of the training parts.

    Raises
    ------
    InputError
        If proteins are shared under "error", or no training row is left under "drop".
    """
    numbers = distinct_sequences(dataset.proteins)
    early = [part for part in dataset.parts if part in trained]
    late = [part for part in dataset.parts if part not in trained]
    overlaps = [_Overlap(dataset, numbers, early=early, late=part) for part in late]
    overlaps = [overlap for overlap in overlaps if len(overlap.shared)]
    if policy == "error":
        raise_problems([str(overlap) for overlap in overlaps], fix=FIX)
    findings = _shared_findings(overlaps, policy) + _shared_with_validation(dataset, numbers, late)
    dataset = replace(dataset, findings=dataset.findings + findings)
    if policy == "drop" and overlaps:
        shared = np.concatenate([overlap.shared for overlap in overlaps])
        dataset = _drop(dataset, numbers, early, shared=shared)
    return dataset


class _Overlap:
    """Proteins that a later part shares with earlier parts; `str` gives their number and ids."""

    def __init__(
        self, dataset: Dataset, numbers: IntArray, *, early: Sequence[str], late: str
    ) -> None:
        self.dataset, self.numbers, self.early, self.late = dataset, numbers, early, late
        before = [numbers[dataset.parts[part].members].ravel() for part in early]
        own = np.unique(numbers[dataset.parts[late].members])
        self.shared = np.intersect1d(own, np.concatenate(before)) if before else own[:0]
        self.own_count = len(own)

    def __str__(self) -> str:
        few, shared = "; ".join(self.examples()), len(self.shared)
        return (
            f"{self.late}: {shared:,} of {count_of(self.own_count, 'protein')} "
            f"{'is' if shared == 1 else 'are'} also in {' or '.join(self.early)}, "
            f"for instance {few}"
        )

    def examples(self) -> tuple[str, ...]:
        """Id and places of the first few shared proteins."""
        return tuple(self._example(int(number)) for number in self.shared[:SHOWN_EXAMPLES])

    def _example(self, number: int) -> str:
        late = self.dataset.parts[self.late]
        row, protein = self._first(late, number)
        places = [late.where(row)]
        for part in self.early:
            rows = self.dataset.parts[part]
            if (self.numbers[rows.members] == number).any():
                places.append(rows.where(self._first(rows, number)[0]))
        return f"{self.dataset.proteins.ids[protein]} ({' and '.join(places)})"

    def _first(self, examples: Examples, number: int) -> tuple[int, int]:
        """First row with this sequence, and the protein in that row with this sequence."""
        cell = int(np.argmax(self.numbers[examples.members].ravel() == number))
        return cell // examples.members.shape[1], int(examples.members.ravel()[cell])


def _shared_findings(overlaps: Sequence[_Overlap], policy: str) -> tuple[Finding, ...]:
    decision = (
        "also trained on; the training rows with them were dropped"
        if policy == "drop"
        else "also trained on; kept as requested, so scores may depend on known proteins"
    )
    return tuple(
        Finding(overlap.late, "shared_proteins", len(overlap.shared), decision, overlap.examples())
        for overlap in overlaps
    )


def _shared_with_validation(
    dataset: Dataset, numbers: IntArray, late: Sequence[str]
) -> tuple[Finding, ...]:
    if "validation" not in late:
        return ()
    tests = [part for part in late if part != "validation"]
    overlaps = [_Overlap(dataset, numbers, early=["validation"], late=part) for part in tests]
    return tuple(
        Finding(
            overlap.late,
            "shared_with_validation",
            len(overlap.shared),
            "also in validation, which chooses epoch and threshold; kept",
            overlap.examples(),
        )
        for overlap in overlaps
        if len(overlap.shared)
    )


def _drop(
    dataset: Dataset, numbers: IntArray, early: Sequence[str], *, shared: IntArray
) -> Dataset:
    parts, findings = dict(dataset.parts), dataset.findings
    for part in early:
        examples = parts[part]
        rows = np.any(np.isin(numbers[examples.members], shared), axis=1)
        if not examples.counted[~rows].any():
            raise InputError(
                f"no row of {part} is left without the proteins of the later parts",
                where=examples.path,
                fix="Use another split, or `--shared-proteins allow`",
            )
        findings += row_findings(
            part,
            "dropped_for_shared_proteins",
            rows,
            where=examples.where,
            decision="rows with a protein that a later part has",
        )
        parts[part] = select_rows(examples, ~rows)
    return keep_used_proteins(replace(dataset, parts=parts, findings=findings))
