"""Probabilities on validation rows → prediction sets with a chosen error rate.

Class-conditional (Mondrian) split conformal prediction: the error rate holds for each class, so it
does not depend on how common the classes are. It requires rows that are exchangeable with the
validation rows; pairs that share proteins are not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_STORED = 1000  # ranks stored per class; raises coverage by at most 1/1000

FloatValues = NDArray[np.float64]


@dataclass(frozen=True)
class Conformal:
    """Limits of strangeness below which a class is in the prediction set.

    Attributes
    ----------
    counts
        Validation rows of each class.
    ranks
        Stored ranks of each class, from 1 (the least strange row).
    strangeness
        1 − probability of the class, at these ranks.
    """

    counts: tuple[int, ...]
    ranks: tuple[tuple[int, ...], ...]
    strangeness: tuple[tuple[float, ...], ...]

    def limits(self, error_rate: float) -> FloatValues:
        """Return the highest strangeness at which a class is in the set. Shape (K,).

        The limit is the strangeness at rank ⌈(n + 1)(1 − error rate)⌉ among the n rows of the
        class. If the class has too few rows, it is in every set.
        """
        return np.array(
            [
                self._limit(k, int(np.ceil((n + 1) * (1 - error_rate) - 1e-9)))
                for k, n in enumerate(self.counts)
            ]
        )

    def _limit(self, k: int, rank: int) -> float:
        place = int(np.searchsorted(self.ranks[k], rank))
        return self.strangeness[k][place] if place < len(self.ranks[k]) else np.inf

    def sets(self, probabilities: NDArray[Any], error_rate: float) -> NDArray[np.bool_]:
        """Return whether each class is in the set of each row. Shape (R, K)."""
        return 1 - class_probabilities(probabilities) <= self.limits(error_rate)

    def as_json(self) -> dict[str, Any]:
        """Return the limits as plain values for a record."""
        return {
            "counts": list(self.counts),
            "ranks": [list(ranks) for ranks in self.ranks],
            "strangeness": [list(values) for values in self.strangeness],
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Conformal":
        """Return the limits in a record."""
        return cls(
            tuple(record["counts"]),
            tuple(tuple(ranks) for ranks in record["ranks"]),
            tuple(tuple(values) for values in record["strangeness"]),
        )


def fit_conformal(probabilities: NDArray[Any], values: NDArray[Any]) -> Conformal:
    """Yield the limits of each class, from validation rows.

    Parameters
    ----------
    probabilities
        Calibrated probability of the positive class, shape (R,), or of each class, shape (R, K).
    values
        0 or 1, shape (R, 1); or class membership, above 0 for true classes, shape (R, K).

    Examples
    --------
    >>> found = fit_conformal(np.array([0.1, 0.2, 0.3, 0.8]), np.array([[0], [0], [0], [1]]))
    >>> found.limits(0.5).round(2).tolist()
    [0.2, 0.2]
    >>> found.sets(np.array([0.15, 0.5]), 0.5).tolist()
    [[True, False], [False, False]]
    """
    strangeness = 1 - class_probabilities(probabilities)
    belongs = class_membership(values)
    per_class = [np.sort(strangeness[belongs[:, k], k]) for k in range(belongs.shape[1])]
    ranks = [_kept_ranks(len(found)) for found in per_class]
    return Conformal(
        tuple(len(found) for found in per_class),
        tuple(tuple(kept.tolist()) for kept in ranks),
        tuple(
            tuple(found[kept - 1].tolist()) for found, kept in zip(per_class, ranks, strict=True)
        ),
    )


def _kept_ranks(count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(1, count, min(count, MOST_STORED)).round().astype(np.int64))


def class_probabilities(probabilities: NDArray[Any]) -> FloatValues:
    """Return one column per class; for binary answers negative, then positive. Shape (R, K).

    Examples
    --------
    >>> class_probabilities(np.array([0.25])).tolist()
    [[0.75, 0.25]]
    """
    if probabilities.ndim == 1:
        return np.stack([1 - probabilities, probabilities], axis=1)
    return probabilities


def class_membership(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the classes of each row; for binary labels negative, then positive. Shape (R, K).

    Examples
    --------
    >>> class_membership(np.array([[1.0]])).tolist()
    [[False, True]]
    """
    if values.shape[1] == 1:
        return np.concatenate([values <= 0, values > 0], axis=1)
    return values > 0


def set_names(sets: NDArray[np.bool_], class_names: Sequence[str]) -> list[str]:
    """Return each set as text: its classes separated by commas, or an empty text.

    Examples
    --------
    >>> set_names(np.array([[True, True], [False, True], [False, False]]), ["0", "1"])
    ['0,1', '1', '']
    """
    patterns, rows = np.unique(sets, axis=0, return_inverse=True)
    texts = [",".join(np.array(class_names)[pattern]) for pattern in patterns]
    return [texts[row] for row in rows.reshape(-1)]


def coverage(
    sets: NDArray[np.bool_], values: NDArray[Any], class_names: Sequence[str]
) -> dict[str, Any]:
    """Return the coverage of each class on its rows, and the sizes of the sets.

    Returns
    -------
    dict
        `coverage`: for each class `value` (NaN without rows) and `n`, its rows; `mean_size`;
        `empty` and `single`: shares of the sets with no class and with one class.

    Examples
    --------
    >>> found = coverage(np.array([[True, False]]), np.array([[1]]), ["0", "1"])
    >>> found["coverage"]["1"], found["single"]
    ({'value': 0.0, 'n': 1}, 1.0)
    """
    belongs = class_membership(values)
    sizes = sets.sum(axis=1)
    per_class = {}
    for k, name in enumerate(class_names):
        held = sets[belongs[:, k], k]
        per_class[name] = {"value": float(held.mean()) if held.size else np.nan, "n": held.size}
    return {
        "coverage": per_class,
        "mean_size": float(sizes.mean()),
        "empty": float((sizes == 0).mean()),
        "single": float((sizes == 1).mean()),
    }
