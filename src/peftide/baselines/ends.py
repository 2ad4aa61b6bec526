"""Both ends of each sequence: a linear model on their residues and on their composition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, hstack

from peftide.baselines.letters import OTHER, letter_codes
from peftide.baselines.penalised import PenalisedModel, fit_penalised
from peftide.types import FloatArray, IntArray

WINDOW = 40
"""Residues of each end that the baseline reads."""

SPANS = ((0, 10), (10, 20), (20, 40))
"""Stretches of a window whose composition is a feature, from the end of the sequence inwards."""

COMPOSITIONS = 2 * len(SPANS) * OTHER
SCALE = 0.3  # of a standardised frequency, beside a residue at a place


@dataclass(frozen=True)
class Ends:
    """A fitted baseline of both ends; made by `fit_ends`.

    Attributes
    ----------
    mean, deviation
        Mean and deviation of the frequencies over the train sequences. Shape (120,).
    model
        On frequencies and residues.
    """

    mean: FloatArray
    deviation: FloatArray
    model: PenalisedModel

    def predict(self, sequences: Sequence[str], members: IntArray) -> FloatArray:
        """Yield a probability (B,), probabilities (B, K) or a value (B,) per row.

        Examples
        --------
        >>> sequences, members = ["MKKLLL", "MDDEEE", "MKLLLL", "MDEEEE"], np.arange(4)[:, None]
        >>> baseline = fit_ends(sequences, members, np.array([1, 0, 1, 0]), kind="binary")
        >>> baseline.predict(["MKKLLV"], np.array([[0]])) > 0.5
        array([ True])
        """
        features = _features(sequences, self.mean, self.deviation)
        return self.model.predict(features, members)

    def arrays(self) -> dict[str, np.ndarray]:
        """Yield all numbers by name."""
        return {"mean": self.mean, "deviation": self.deviation} | self.model.arrays()


def load_ends(arrays: Mapping[str, np.ndarray], *, kind: str, proteins_per_example: int) -> Ends:
    """Yield the baseline that `Ends.arrays` came from."""
    assert proteins_per_example == 1
    model = PenalisedModel.from_arrays(arrays, kind=kind)
    return Ends(arrays["mean"], arrays["deviation"], model)


def fit_ends(
    sequences: Sequence[str], members: IntArray, targets: np.ndarray, *, kind: str
) -> Ends:
    """Fit labels on the first and last 40 residues of each sequence.

    Features: composition of the outermost 10, next 10 and next 20 residues of each end, and the
    residue at each of the 80 places. Cross-validation decides whether the places are used.

    Parameters
    ----------
    sequences
        Proteins; only proteins that `members` names have an influence.
    members
        Index of each row's sequence. Shape (B, 1).
    targets, kind
        As `peftide.baselines.linear.fit_linear` takes them.

    Raises
    ------
    InputError
        If members and targets do not fit together, or there are more than 64 classes.
    """
    known = window_compositions([sequences[int(number)] for number in np.unique(members)])
    mean, deviation = known.mean(axis=0), known.std(axis=0)
    deviation[deviation == 0] = 1
    features = _features(sequences, mean, deviation)
    alone = np.zeros(features.shape[1])  # type: ignore[reportOptionalSubscript]
    alone[:COMPOSITIONS] = 1
    scalings = [alone, np.ones(features.shape[1])]  # type: ignore[reportOptionalSubscript]
    model = fit_penalised(features, members, targets, kind=kind, scalings=scalings)
    return Ends(mean, deviation, model)


def window_compositions(sequences: Sequence[str]) -> FloatArray:
    """Yield the residue frequencies of three stretches at each end of each sequence.

    Returns
    -------
    numpy.ndarray
        Shape (P, 120): start of the sequence, then its end; stretches from the outside inwards.

    Examples
    --------
    >>> window_compositions(["AAAAACCCCC"])[0, :2].tolist()
    [0.5, 0.5]
    """
    found = np.zeros((len(sequences), 2, len(SPANS), OTHER))
    for number, sequence in enumerate(sequences):
        codes = letter_codes(sequence)
        for end, read in enumerate((codes, codes[::-1])):
            for place, (start, stop) in enumerate(SPANS):
                stretch = read[start:stop]
                counts = np.bincount(stretch, minlength=OTHER + 1)[:OTHER]
                found[number, end, place] = counts / max(len(stretch), 1)
    return found.reshape(len(sequences), COMPOSITIONS)


def window_residues(sequences: Sequence[str]) -> csr_matrix:
    """Yield the residue at each place of both windows, as one-hot vectors.

    Returns
    -------
    scipy.sparse.csr_matrix
        Shape (P, 1600): the first 40 residues, then the last 40 from the end inwards.

    Examples
    --------
    >>> window_residues(["AC"]).indices.tolist()
    [0, 21, 801, 820]
    """
    places = np.full((len(sequences), 2, WINDOW), OTHER)
    for row, sequence in zip(places, sequences, strict=True):
        codes = letter_codes(sequence)
        for window, read in zip(row, (codes[:WINDOW], codes[::-1][:WINDOW]), strict=True):
            window[: len(read)] = read
    flat = places.reshape(len(sequences), -1)
    sequence, place = np.nonzero(flat < OTHER)
    columns = place * OTHER + flat[sequence, place]
    shape = (len(sequences), 2 * WINDOW * OTHER)
    return csr_matrix((np.ones(len(sequence)), (sequence, columns)), shape=shape)


def _features(sequences: Sequence[str], mean: FloatArray, deviation: FloatArray) -> csr_matrix:
    frequencies = (window_compositions(sequences) - mean) / deviation * SCALE
    return csr_matrix(hstack([csr_matrix(frequencies), window_residues(sequences)]))
