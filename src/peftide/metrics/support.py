"""Labels and units → how many units carry the positives and the negatives of each class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from peftide.metrics.resampling import Units
from peftide.metrics.weighted import Name


@dataclass(frozen=True)
class Support:
    """Independent examples of a yes/no label, or of one class against all others.

    Attributes
    ----------
    positives, negatives
        Sequences or clusters that carry at least one. For pairs: the pairs themselves, and at most
        the number of their proteins.
    wording
        Start of a phrase that ends with "positives" or "negatives"; empty where each is a row.
    """

    positives: int
    negatives: int
    wording: str = ""


def label_support(
    values: NDArray, units: Units, class_names: Sequence[str] = (), *, by_class: bool = False
) -> dict[Name, Support]:
    """Yield the support of each class, by the first parts of the names of its scores.

    Parameters
    ----------
    values
        Above 0 where the row carries the class. Shape (R, K); K is 1 for a yes/no label.
    units
        Units that are resampled.
    class_names
        K names.
    by_class
        Whether scores are named by class; else the label is yes or no, and K is 1.

    Examples
    --------
    >>> clusters = Units(np.array([[0], [0], [1]]), "cluster")
    >>> label_support(np.array([[1], [1], [0]]), clusters)
    {(): Support(positives=1, negatives=1, wording='clusters with ')}
    """
    truth = values > 0
    paths: list[Name] = [("per_class", name) for name in class_names] if by_class else [()]
    is_row = units.are_pairs or units.count == len(truth)
    wording = "" if is_row else f"{units.kind}s with "
    found = {
        path: Support(_carriers(units, carried), _carriers(units, ~carried), wording)
        for path, carried in zip(paths, truth.T, strict=True)
    }
    if by_class:  # scores over all classes together
        some, whole = np.any(truth, axis=1), np.all(truth, axis=1)
        together = Support(_carriers(units, some), _carriers(units, ~whole), wording)
        found |= {("micro",): together}
    return found


def _carriers(units: Units, chosen: Any) -> int:
    """Return the number of independent examples among these rows."""
    met = np.zeros(units.count, dtype=bool)
    met[units.numbers[chosen]] = True
    distinct = int(met.sum())
    return min(distinct, int(chosen.sum())) if units.are_pairs else distinct
