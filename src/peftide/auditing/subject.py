"""A data set and what the checks ask of it: labels, lengths, degrees, who is also in train."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from peftide.sequences import Dataset, Examples, distinct_sequences
from peftide.sequences.label_kinds import LabelKind, label_kind
from peftide.sequences.yes_no import is_yes
from peftide.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Subject:
    """A data set that is audited; proteins are told apart by sequence.

    Attributes
    ----------
    dataset
        Its parts; one of them is "train".
    pairs
        Whether rows are pairs.
    max_length
        Residues that a model would keep of a sequence, or None.
    trained
        Whether a training read it, which has already left out what does not count.
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
    def lengths(self) -> IntArray:
        """Residues of each distinct sequence."""
        return np.array([len(sequence) for sequence in self.sequences], dtype=np.int64)

    @property
    def what(self) -> str:
        """What a row is, in words."""
        return "pairs" if self.pairs else "rows"

    @property
    def later(self) -> list[str]:
        """Parts that are not trained on."""
        return [part for part in self.dataset.parts if part != "train"]

    def examples(self, part: str) -> Examples:
        """Return the rows of a part."""
        return self.dataset.parts[part]

    def members(self, part: str) -> IntArray:
        """Return the number of the sequences of each row. Shape (B, A)."""
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
        """Return which rows of yes-or-no labels say yes. Shape (B,)."""
        return np.array([is_yes(label) is True for label in self.labels(part)], dtype=bool)

    def values(self, part: str) -> FloatArray:
        """Return labels that are numbers as such. Shape (B,)."""
        return np.array([float(label) for label in self.labels(part)])

    def degrees(self, part: str) -> tuple[IntArray, IntArray]:
        """Return positive and negative counted pairs of each distinct sequence."""
        counted, positive = self.examples(part).counted, self.positive(part)
        members, most = self.members(part), len(self.lengths)
        return (
            np.bincount(members[counted & positive].ravel(), minlength=most),
            np.bincount(members[counted & ~positive].ravel(), minlength=most),
        )

    def in_train(self, part: str) -> BoolArray:
        """Return which sequences of each row are also trained on. Shape (B, A)."""
        return np.isin(self.members(part), self.proteins("train"))

    def name(self, number: int) -> str:
        """Return the first id of a distinct sequence."""
        return self.dataset.proteins.ids[int(np.argmax(self.numbers == number))]
