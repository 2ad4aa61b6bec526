"""Residue composition and length: a linear model on 21 numbers per protein."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from peftide.baselines.letters import OTHER, letter_codes
from peftide.baselines.linear import LinearModel, fit_linear
from peftide.errors import InputError
from peftide.types import FloatArray, IntArray


@dataclass(frozen=True)
class Composition:
    """A fitted composition baseline; made by `fit_composition`."""

    model: LinearModel

    def predict(self, sequences: Sequence[str], members: IntArray) -> FloatArray:
        """Yield one prediction per example, as `LinearModel.predict` does.

        Raises
        ------
        InputError
            If a sequence is empty, or `members` does not fit.

        Examples
        --------
        >>> sequences, members = ["AAAA", "GGGG", "AAAG", "GGGA"], np.arange(4)[:, None]
        >>> labels = np.array([1, 0, 1, 0])
        >>> baseline = fit_composition(sequences, members, labels, kind="binary")
        >>> baseline.predict(["AAAAAG"], np.array([[0]])) > 0.5
        array([ True])
        """
        return self.model.predict(composition_features(sequences), members)

    def arrays(self) -> dict[str, np.ndarray]:
        """Yield all numbers by name."""
        return self.model.arrays()


def load_composition(
    arrays: Mapping[str, np.ndarray], *, kind: str, proteins_per_example: int
) -> Composition:
    """Yield the baseline that `Composition.arrays` came from."""
    return Composition(
        LinearModel.from_arrays(arrays, kind=kind, proteins_per_example=proteins_per_example)
    )


def fit_composition(
    sequences: Sequence[str],
    members: IntArray,
    targets: np.ndarray,
    *,
    kind: str,
) -> Composition:
    """Fit labels on composition and length.

    Parameters
    ----------
    sequences
        Proteins; only proteins that `members` names have an influence.
    members
        Indices into `sequences`, one or two per example. Shape (B, A).
    targets, kind
        As `peftide.baselines.linear.fit_linear` takes them.

    Raises
    ------
    InputError
        If a sequence is empty, or members and targets do not fit together.

    Examples
    --------
    >>> pairs, values = np.array([[0, 1], [1, 2], [2, 0]]), np.array([0.0, 1.0, 2.0])
    >>> baseline = fit_composition(["AC", "DDE", "GGGG"], pairs, values, kind="continuous")
    >>> baseline.predict(["AC", "DDE"], np.array([[0, 1], [1, 0]])).shape
    (2,)
    """
    features = composition_features(sequences)
    return Composition(fit_linear(features, members, targets, kind=kind))


def composition_features(sequences: Sequence[str]) -> FloatArray:
    """Yield 20 residue frequencies and the natural logarithm of the length of each protein.

    Other letters count towards the length only.

    Parameters
    ----------
    sequences
        One-letter residues. Length P.

    Returns
    -------
    numpy.ndarray
        Shape (P, 21), residues in the order of `letters.STANDARD_RESIDUES`.

    Raises
    ------
    InputError
        If a sequence is empty.

    Examples
    --------
    >>> composition_features(["AACX"])[0, [0, 1, 20]].round(3)
    array([0.5  , 0.25 , 1.386])
    """
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    if not lengths.all():
        raise InputError("an empty sequence", where=f"protein {lengths.argmin()} (from 0)")
    counts = np.zeros((len(sequences), OTHER + 1))
    for row, sequence in zip(counts, sequences, strict=True):
        row[:] = np.bincount(letter_codes(sequence), minlength=OTHER + 1)
    return np.column_stack([counts[:, :OTHER] / lengths[:, None], np.log(lengths)])
