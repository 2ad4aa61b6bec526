"""Degrees: how often the training set names each protein, and with which labels.

Sequences play no role: all pairs of two unseen proteins get the same answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from peftide.baselines.checks import check_as_fitted, check_members, checked_targets
from peftide.outcomes import OUTCOMES
from peftide.sequences.hashing import sequence_hash
from peftide.types import FloatArray, IntArray

PAIR = 2


@dataclass(frozen=True)
class Degree:
    """The training pairs of each protein; made by `fit_degree`.

    Attributes
    ----------
    kind
        Kind of outcome, a key of `OUTCOMES`.
    hashes
        Train proteins, by `sequence_hash`. Length P.
    degrees
        Sum of `Shallow.tallied` over the training pairs of each protein: pairs with each class
        (no and yes of a binary outcome), or the sum of values. Shape (P, K).
    pairs
        Train pairs of each protein. Shape (P,).
    prior
        Share of each class, or the mean value, in train. Shape (K,).
    """

    kind: str
    hashes: tuple[str, ...]
    degrees: FloatArray
    pairs: FloatArray
    prior: FloatArray

    def predict(self, sequences: Sequence[str], members: IntArray) -> FloatArray:
        """Yield one prediction per pair, the same for (a, b) and (b, a).

        Classes: log odds = log odds of the training set + Σ log(degree of the class + 1) over the
        pair. A binary outcome, and each class of a set, thus ranks pairs by
        Σ log((positive degree + 1) / (negative degree + 1)).
        Values: the mean, over the pair, of the mean value of each protein's training pairs, with
        the training mean counted once.

        Examples
        --------
        >>> pairs, labels = np.array([[0, 1], [0, 2], [1, 2]]), np.array([1, 1, 0])
        >>> degree = fit_degree(["MA", "MC", "MD"], pairs, labels, kind="binary")
        >>> degree.predict(["MA", "MD", "MW"], np.array([[0, 1], [2, 2]])).round(3)
        array([0.857, 0.667])
        """
        check_members(members, len(sequences))
        check_as_fitted(members, PAIR)
        return OUTCOMES[self.kind].shallow.from_tallies(
            np.vstack([self.degrees, np.zeros_like(self.prior)]),
            np.append(self.pairs, 0),
            self.prior,
            members=self._rows(sequences)[members],
        )

    def pairs_of(self, sequences: Sequence[str]) -> IntArray:
        """Yield the training pairs of each sequence, 0 for unseen ones. Shape (P,)."""
        return np.append(self.pairs, 0).astype(np.int64)[self._rows(sequences)]

    def _rows(self, sequences: Sequence[str]) -> IntArray:
        """Return the row of each sequence; unseen sequences get the row after the last."""
        row_of = {name: row for row, name in enumerate(self.hashes)}
        unknown = len(self.hashes)
        return np.array([row_of.get(sequence_hash(s), unknown) for s in sequences], dtype=np.int64)

    def arrays(self) -> dict[str, np.ndarray]:
        """Yield all numbers by name; hashes as bytes. Shape (P, 8)."""
        raw = np.frombuffer(bytes.fromhex("".join(self.hashes)), dtype=np.uint8)
        return {
            "hashes": raw.reshape(len(self.hashes), -1),
            "degrees": self.degrees,
            "pairs": self.pairs,
            "prior": self.prior,
        }


@dataclass(frozen=True)
class PositiveDegree:
    """The positive training pairs of each protein; made by `fit_positive_degree`."""

    degree: Degree

    def predict(self, sequences: Sequence[str], members: IntArray) -> FloatArray:
        """Yield d / (d + 1) for d positive train pairs of both proteins together.

        Examples
        --------
        >>> pairs, labels = np.array([[0, 1], [0, 2], [1, 2]]), np.array([1, 1, 0])
        >>> degree = fit_positive_degree(["MA", "MC", "MD"], pairs, labels, kind="binary")
        >>> degree.predict(["MA", "MD", "MW"], np.array([[0, 1], [1, 2], [2, 2]]))
        array([0.75, 0.5 , 0.  ])
        """
        check_members(members, len(sequences))
        check_as_fitted(members, PAIR)
        positive = np.append(self.degree.degrees[:, 1], 0)
        together = positive[self.degree._rows(sequences)[members]].sum(axis=1)
        return together / (together + 1)

    def arrays(self) -> dict[str, np.ndarray]:
        """Yield all numbers by name."""
        return self.degree.arrays()


def load_degree(
    arrays: Mapping[str, np.ndarray], *, kind: str, proteins_per_example: int
) -> Degree:
    """Yield the baseline that `Degree.arrays` came from."""
    assert proteins_per_example == PAIR
    hashes = tuple(row.tobytes().hex() for row in arrays["hashes"])
    return Degree(kind, hashes, arrays["degrees"], arrays["pairs"], arrays["prior"])


def load_positive_degree(
    arrays: Mapping[str, np.ndarray], *, kind: str, proteins_per_example: int
) -> PositiveDegree:
    """Yield the baseline that `PositiveDegree.arrays` came from."""
    return PositiveDegree(load_degree(arrays, kind=kind, proteins_per_example=proteins_per_example))


def fit_degree(
    sequences: Sequence[str], members: IntArray, targets: np.ndarray, *, kind: str
) -> Degree:
    """Count the train pairs of each protein; a pair of a protein with itself is one.

    Parameters
    ----------
    sequences
        Proteins; equal sequences are one.
    members
        Indices into `sequences`. Shape (B, 2).
    targets
        0/1 labels (B,), class memberships 0/1 (B, K), or values (B,).
    kind
        A key of `OUTCOMES`.

    Raises
    ------
    InputError
        If members and targets do not fit together, or are not of pairs.
    """
    check_members(members, len(sequences))
    check_as_fitted(members, PAIR)
    outcome = OUTCOMES[kind]
    labels = checked_targets(targets, len(members), outcome)
    columns = outcome.shallow.tallied(labels).astype(np.float64)
    hashes, proteins = np.unique(
        [sequence_hash(sequences[protein]) for protein in members.ravel().tolist()],
        return_inverse=True,
    )
    first, second = proteins.reshape(members.shape).T
    other = first != second
    counts = np.column_stack([columns, np.ones(len(members))])
    sums = np.zeros((len(hashes), counts.shape[1]))
    np.add.at(sums, first, counts)
    np.add.at(sums, second[other], counts[other])
    return Degree(kind, tuple(hashes.tolist()), sums[:, :-1], sums[:, -1], columns.mean(axis=0))


def fit_positive_degree(
    sequences: Sequence[str], members: IntArray, targets: np.ndarray, *, kind: str
) -> PositiveDegree:
    """Count the positive train pairs of each protein, as `fit_degree` does."""
    return PositiveDegree(fit_degree(sequences, members, targets, kind=kind))
