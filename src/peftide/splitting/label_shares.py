"""Label texts come in; the share of every class in each row goes out, to balance parts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from peftide.sequences.label_kinds import MOST_CLASSES, is_number, label_kind
from peftide.sequences.label_lists import NONE, columns_of, label_list, split_classes
from peftide.sequences.residue_labels import per_residue
from peftide.types import FloatArray, IntArray

VALUE_BINS = 5
OTHERS = "other labels"


@dataclass(frozen=True)
class LabelShares:
    """Share of every class in each row.

    Attributes
    ----------
    names
        The classes: labels, letters of per-residue labels, or ranges of values.
    values
        1 for the class of a row, or shares if the row has several classes. Shape (B, K).
    """

    names: tuple[str, ...]
    values: FloatArray

    def strata(self) -> IntArray:
        """Return the class with the largest share in each row. Shape (B,)."""
        return self.values.argmax(axis=1).astype(np.int64)

    def means(self, rows: IntArray) -> dict[str, float]:
        """Return the mean share of each class over some rows."""
        if not self.names or not len(rows):
            return {}
        return dict(zip(self.names, self.values[rows].mean(axis=0).tolist(), strict=True))


def label_shares(labels: Sequence[str] | None, *, lengths: Sequence[int] | None) -> LabelShares:
    """Return the class shares by which parts are balanced; without labels, one class for all.

    Parameters
    ----------
    labels
        Text of each row.
    lengths
        Number of residues of each row's sequence, or None for pairs. Labels as long as their
        sequences are read residue by residue.

    Examples
    --------
    >>> label_shares(["1", "0", "1"], lengths=None).values.tolist()
    [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    >>> label_shares(["HHHC", "CC"], lengths=[4, 2]).values.tolist()
    [[0.25, 0.75], [1.0, 0.0]]
    """
    if labels is None:
        return LabelShares((), np.zeros((0, 0)))
    kind = label_kind(labels, lengths)
    if kind == "values":
        return _of_values(np.array([float(label) for label in labels]))
    if lengths is not None and kind in ("residues", "residue_values"):
        rows = [per_residue(label, n) for label, n in zip(labels, lengths, strict=True)]
        return _of_sets(rows) if kind == "residues" else _of_values(np.array([*map(_mean, rows)]))
    columns = columns_of(labels)
    return _of_sets([_classes(label.strip(), columns) for label in labels])


def _mean(entries: Sequence[str]) -> float:
    """Return the mean of the numbers in a list; 0 without any."""
    numbers = [float(entry) for entry in entries if is_number(entry)]
    return sum(numbers) / max(len(numbers), 1)


def _classes(text: str, columns: int) -> list[str]:
    """Return the classes of a row; labels with 0 and 1 for each class name those with 1."""
    found = label_list(text) if columns else None
    if found is None or found.bits is None:
        return split_classes(text) or [NONE]
    return [f"class_{k}" for k, bit in enumerate(found.bits, 1) if bit] or [NONE]


def _of_sets(sets: Sequence[Sequence[str]]) -> LabelShares:
    """Equal shares for each row's classes; if there are many classes, the rarest are merged."""
    counts = Counter(name for names in sets for name in names)
    common = [name for name, _ in counts.most_common(MOST_CLASSES)]
    names = sorted(common) + ([OTHERS] if len(counts) > len(common) else [])
    column = {name: k for k, name in enumerate(names)}
    values = np.zeros((len(sets), len(names)))
    for row, found in enumerate(sets):
        for name, count in Counter(found).items():
            values[row, column.get(name, len(names) - 1)] += count / len(found)
    return LabelShares(tuple(names), values)


def _of_values(numbers: FloatArray) -> LabelShares:
    """Ranges of values with equal numbers of rows."""
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, VALUE_BINS + 1)))
    bins = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, max(len(edges) - 2, 0))
    names = [f"{low:g} to {high:g}" for low, high in zip(edges[:-1], edges[1:], strict=True)]
    return LabelShares(tuple(names), np.eye(len(names))[bins])
