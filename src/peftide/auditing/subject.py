"""A data set with the properties that the checks need: labels, lengths, degrees, overlap."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from peftide.sequences import Dataset, Examples, distinct_sequences
from peftide.sequences.label_kinds import LabelKind, label_kind
from peftide.sequences.label_lists import is_missing
from peftide.sequences.residue_labels import per_residue
from peftide.sequences.yes_no import is_yes
from peftide.similarity.reference import VariantSet, variants_of
from peftide.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Subject:
    """An audited data set; proteins are distinguished by sequence.

    Attributes
    ----------
    dataset
        The data set; one part is "train".
    pairs
        Whether rows are pairs.
    max_length
        Length to which a model would crop sequences, or None.
    trained
        Whether a training read the data set, which has already left out rows that do not count.
    """

    dataset: Dataset
    pairs: bool
    max_length: int | None = 1022
    trained: bool = False

    @cached_property
    def numbers(self) -> IntArray:
        """A number for each protein's sequence. Shape (P,)."""
        return distinct_sequences(self.dataset.proteins)

    @cached_property
    def sequences(self) -> list[str]:
        """Each distinct sequence, by number."""
        return list(dict.fromkeys(self.dataset.proteins.sequences))

    @cached_property
    def variants(self) -> VariantSet | None:
        """The changes of each distinct sequence, if all are variants of one; None otherwise."""
        if self.pairs:
            return None
        train = [self.sequences[number] for number in self.proteins("train")]
        return variants_of(self.sequences, train=train, wild_type=self.dataset.wild_type)

    @cached_property
    def lengths(self) -> IntArray:
        """Number of residues of each distinct sequence."""
        return np.array([len(sequence) for sequence in self.sequences], dtype=np.int64)

    @property
    def what(self) -> str:
        """The word for rows: pairs or sequences."""
        return "pairs" if self.pairs else "rows"

    @property
    def later(self) -> list[str]:
        """All parts except train."""
        return [part for part in self.dataset.parts if part != "train"]

    def examples(self, part: str) -> Examples:
        """Return the rows of a part."""
        return self.dataset.parts[part]

    def members(self, part: str) -> IntArray:
        """Return the numbers of each row's sequences. Shape (B, A)."""
        return self.numbers[self.examples(part).members]

    def proteins(self, part: str) -> IntArray:
        """Return the distinct sequences of a part, by number."""
        return np.unique(self.members(part))

    def labels(self, part: str) -> Sequence[str]:
        """Return the labels of a part as text."""
        return self.examples(part).labels or ()

    @cached_property
    def label_kind(self) -> LabelKind:
        """Kind of the labels of all parts."""
        parts = self.dataset.parts
        labels = [label for part in parts for label in self.labels(part)]
        firsts = np.concatenate([self.members(part)[:, 0] for part in parts])
        return label_kind(labels, None if self.pairs else self.lengths[firsts].tolist())

    def positive(self, part: str) -> BoolArray:
        """Return which rows with binary labels are positive. Shape (B,)."""
        return np.array([is_yes(label) is True for label in self.labels(part)], dtype=bool)

    def values(self, part: str) -> FloatArray:
        """Return numeric labels as numbers, without missing labels of residues. Shape (R,)."""
        texts: Iterable[str] = self.labels(part)
        if self.label_kind == "residue_values":
            texts = (entry for row in self.entries(part) for entry in row if not is_missing(entry))
        return np.array([float(text) for text in texts])

    def entries(self, part: str) -> list[Sequence[str]]:
        """Return the labels of the residues of each row."""
        lengths = self.lengths[self.members(part)[:, 0]].tolist()
        rows = zip(self.labels(part), lengths, strict=True)
        return [per_residue(label, length) for label, length in rows]

    def degrees(self, part: str) -> tuple[IntArray, IntArray]:
        """Return positive and negative counted pairs of each distinct sequence."""
        counted, positive = self.examples(part).counted, self.positive(part)
        members, most = self.members(part), len(self.lengths)
        return (
            np.bincount(members[counted & positive].ravel(), minlength=most),
            np.bincount(members[counted & ~positive].ravel(), minlength=most),
        )

    def in_train(self, part: str) -> BoolArray:
        """Return whether each sequence of each row is also in train. Shape (B, A)."""
        return np.isin(self.members(part), self.proteins("train"))

    def name(self, number: int) -> str:
        """Return the first id of a distinct sequence."""
        return self.dataset.proteins.ids[int(np.argmax(self.numbers == number))]
