"""Label texts come in; the share of every class in each row goes out, to balance parts."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from peftide.sequences.label_kinds import MOST_CLASSES, label_kind
from peftide.types import FloatArray, IntArray

VALUE_BINS = 5
OTHERS = "other labels"
SEVERAL = re.compile(r"[;,]")


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
    if kind == "residues":
        return _of_sets([list(label) for label in labels])
    if kind == "values":
        return _of_values(np.array([float(label) for label in labels]))
    return _of_sets([_classes(label.strip()) for label in labels])


def _classes(text: str) -> list[str]:
    return [name.strip() for name in SEVERAL.split(text) if name.strip()] or [""]


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
