"""Residue letters: a table of class shares or mean values, one row per letter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from peftide.baselines.letters import OTHER, letter_codes
from peftide.errors import InputError, raise_problems
from peftide.types import FloatArray, IntArray


@dataclass(frozen=True)
class ResidueLetters:
    """A fitted letter baseline; made by `fit_residue_letters` or `fit_residue_means`.

    Attributes
    ----------
    counts
        Train residues of each letter (row, 20 = any other letter) and class, shape (21, K); or
        the sum of their values, shape (21, 1).
    residues
        Train residues of each letter. Shape (21,).
    prior
        Added to the sums of each letter: one residue of each class, or one with the mean value.
        Shape (K,).
    values
        Whether answers are values.
    """

    counts: IntArray | FloatArray
    residues: IntArray
    prior: FloatArray
    values: bool = False

    @property
    def means(self) -> FloatArray:
        """P(class | letter) or mean value of each letter, smoothed by the prior. Shape (21, K)."""
        added = 1 if self.values else len(self.prior)
        return (self.counts + self.prior) / (self.residues[:, None] + added)

    def predict(self, sequences: Sequence[str]) -> list[FloatArray]:
        """Yield the class probabilities, or the value, of each residue.

        Parameters
        ----------
        sequences
            One-letter residues.

        Returns
        -------
        list of numpy.ndarray
            Shape (L, K) for each sequence; (L,) for values.

        Examples
        --------
        >>> letters = fit_residue_letters(["AAG"], [np.array([1, 1, 0])], 2)
        >>> letters.predict(["GA"])[0]
        array([[0.66666667, 0.33333333],
               [0.25      , 0.75      ]])
        """
        table = self.means[:, 0] if self.values else self.means
        return [table[letter_codes(sequence)] for sequence in sequences]

    def arrays(self) -> dict[str, np.ndarray]:
        """Yield all numbers by name."""
        if not self.values:
            return {"counts": self.counts}
        return {"sums": self.counts, "residues": self.residues, "prior": self.prior}


def load_residue_letters(
    arrays: Mapping[str, np.ndarray], *, kind: str, proteins_per_example: int
) -> ResidueLetters:
    """Yield the baseline that `ResidueLetters.arrays` came from."""
    del kind, proteins_per_example
    if "sums" in arrays:
        return ResidueLetters(arrays["sums"], arrays["residues"], arrays["prior"], values=True)
    return _of_counts(arrays["counts"])


def fit_residue_letters(
    sequences: Sequence[str], classes: Sequence[IntArray] | Sequence[FloatArray], n_classes: int
) -> ResidueLetters:
    """Count the classes of each letter; without classes, average values as `fit_residue_means`.

    Parameters
    ----------
    sequences
        One-letter residues.
    classes
        Class index of each residue, −1 where masked; without classes its value, NaN where masked.
        Shape (L,) for each sequence.
    n_classes
        K; 0 for values.

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
    if not n_classes:
        return fit_residue_means(sequences, classes)
    _check_classes(sequences, classes, n_classes)
    counts = np.zeros((OTHER + 1, n_classes), dtype=np.int64)
    for sequence, indices in zip(sequences, classes, strict=True):
        known = indices >= 0
        np.add.at(counts, (letter_codes(sequence)[known], indices[known].astype(np.int64)), 1)
    if not counts.any():
        raise InputError("no residue with a class", expected="at least one that is not masked")
    return _of_counts(counts)


def fit_residue_means(
    sequences: Sequence[str], values: Sequence[IntArray] | Sequence[FloatArray]
) -> ResidueLetters:
    """Average the values of each letter, beside one residue with the mean of all.

    Parameters
    ----------
    sequences
        One-letter residues.
    values
        Value of each residue, NaN where masked. Shape (L,) for each sequence.

    Raises
    ------
    InputError
        If values and residues differ in number, or every residue is masked.

    Examples
    --------
    >>> fit_residue_means(["AAG"], [np.array([1.0, 3.0, np.nan])]).predict(["AG"])[0]
    array([2., 2.])
    """
    codes = letter_codes("".join(sequences))
    numbers = np.concatenate([np.asarray(row, dtype=np.float64) for row in values])
    if len(codes) != len(numbers):
        raise InputError(f"values of {len(numbers):,} residues for {len(codes):,} residues")
    known = np.isfinite(numbers)
    if not known.any():
        raise InputError("no residue with a value", expected="at least one that is not masked")
    codes, numbers = codes[known], numbers[known]
    sums = np.bincount(codes, numbers, minlength=OTHER + 1)[:, None]
    residues = np.bincount(codes, minlength=OTHER + 1)
    return ResidueLetters(sums, residues, numbers.mean(keepdims=True), values=True)


def _of_counts(counts: IntArray) -> ResidueLetters:
    return ResidueLetters(counts, counts.sum(axis=1), np.ones(counts.shape[1]))


def _check_classes(
    sequences: Sequence[str], classes: Sequence[IntArray] | Sequence[FloatArray], n_classes: int
) -> None:
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
