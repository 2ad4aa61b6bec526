"""Residue letters: a table of class shares, one row per letter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from peftide.baselines.letters import OTHER, letter_codes
from peftide.errors import InputError, raise_problems
from peftide.types import FloatArray, IntArray


@dataclass(frozen=True)
class ResidueLetters:
    """A fitted letter baseline; made by `fit_residue_letters`.

    Attributes
    ----------
    counts
        Train residues of each letter (row, 20 = any other letter) and class. Shape (21, K).
    """

    counts: IntArray

    @property
    def probabilities(self) -> FloatArray:
        """P(class | letter), one added to every count. Shape (21, K)."""
        smoothed = self.counts + 1
        return smoothed / smoothed.sum(axis=1, keepdims=True)

    def predict(self, sequences: Sequence[str]) -> list[FloatArray]:
        """Yield the class probabilities of each residue.

        Parameters
        ----------
        sequences
            One-letter residues.

        Returns
        -------
        list of numpy.ndarray
            Shape (L, K) for each sequence.

        Examples
        --------
        >>> letters = fit_residue_letters(["AAG"], [np.array([1, 1, 0])], 2)
        >>> letters.predict(["GA"])[0]
        array([[0.66666667, 0.33333333],
               [0.25      , 0.75      ]])
        """
        table = self.probabilities
        return [table[letter_codes(sequence)] for sequence in sequences]

    def arrays(self) -> dict[str, np.ndarray]:
        """Yield all numbers by name."""
        return {"counts": self.counts}


def load_residue_letters(
    arrays: Mapping[str, np.ndarray], *, kind: str, proteins_per_example: int
) -> ResidueLetters:
    """Yield the baseline that `ResidueLetters.arrays` came from."""
    del kind, proteins_per_example
    return ResidueLetters(arrays["counts"])


def fit_residue_letters(
    sequences: Sequence[str], classes: Sequence[IntArray], n_classes: int
) -> ResidueLetters:
    """Count the classes of each letter.

    Parameters
    ----------
    sequences
        One-letter residues.
    classes
        Class index of each residue, −1 where masked. Shape (L,) for each sequence.
    n_classes
        K.

    Returns
    -------
    ResidueLetters
        With `predict(sequences)`.

    Raises
    ------
    InputError
        If classes and residues differ in number, a class index is below −1 or not below K, or
        every residue is masked.

    Examples
    --------
    >>> letters = fit_residue_letters(["AAG", "G"], [np.array([1, -1, 0]), np.array([0])], 2)
    >>> letters.counts.sum(axis=0)
    array([2, 1])
    """
    _check_classes(sequences, classes, n_classes)
    counts = np.zeros((OTHER + 1, n_classes), dtype=np.int64)
    for sequence, indices in zip(sequences, classes, strict=True):
        known = indices >= 0
        np.add.at(counts, (letter_codes(sequence)[known], indices[known]), 1)
    if not counts.any():
        raise InputError("no residue with a class", expected="at least one that is not masked")
    return ResidueLetters(counts)


def _check_classes(sequences: Sequence[str], classes: Sequence[IntArray], n_classes: int) -> None:
    """Raise all misfits of class indices together."""
    if len(sequences) != len(classes):
        raise InputError(f"classes of {len(classes)} sequences for {len(sequences)} sequences")
    problems = []
    for number, (sequence, indices) in enumerate(zip(sequences, classes, strict=True)):
        if indices.shape != (len(sequence),):
            problems.append(
                f"sequence {number} (from 0): classes of shape {indices.shape} "
                f"for {len(sequence)} residues"
            )
        elif ((indices < -1) | (indices >= n_classes)).any():
            problems.append(
                f"sequence {number} (from 0): class indices from {indices.min()} to "
                f"{indices.max()}; expected -1 to {n_classes - 1}"
            )
    raise_problems(problems)
