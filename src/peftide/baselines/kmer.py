"""Short words of residues: a linear model on the principal 3-mers of the training set."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from peftide.baselines.checks import check_members
from peftide.baselines.letters import STANDARD_RESIDUES, letter_codes
from peftide.baselines.linear import LinearModel, fit_linear
from peftide.types import FloatArray, IntArray

LENGTH = 3
LETTERS = len(STANDARD_RESIDUES)
WORDS = LETTERS**LENGTH
COMPONENTS = {1: 128, 2: 64}
"""Proteins per example → numbers kept of each protein; each makes three features of a pair."""
ITERATIONS: Any = 2  # a number, although its annotation in scikit-learn says text
MOST_PROTEINS = 10_000  # sampled evenly from the training set for the principal directions


@dataclass(frozen=True)
class Kmers:
    """A fitted k-mer baseline; made by `fit_kmers`.

    Attributes
    ----------
    components
        Principal directions of the k-mers of the train proteins. Shape (8000, D).
    model
        On the projections of proteins to them.
    """

    components: FloatArray
    model: LinearModel

    def predict(self, sequences: Sequence[str], members: IntArray) -> FloatArray:
        """Yield one prediction per example, as `LinearModel.predict` does.

        Examples
        --------
        >>> sequences, members = ["AAAAA", "GGGGG", "AAAAG", "GGGGA"], np.arange(4)[:, None]
        >>> baseline = fit_kmers(sequences, members, np.array([1, 0, 1, 0]), kind="binary")
        >>> baseline.predict(["CAAAA"], np.array([[0]])) > 0.5
        array([ True])
        """
        return self.model.predict(kmer_features(sequences) @ self.components, members)

    def arrays(self) -> dict[str, np.ndarray]:
        """Yield all numbers by name."""
        return {"components": self.components} | self.model.arrays()


def load_kmers(arrays: Mapping[str, np.ndarray], *, kind: str, proteins_per_example: int) -> Kmers:
    """Yield the baseline that `Kmers.arrays` came from."""
    model = LinearModel.from_arrays(arrays, kind=kind, proteins_per_example=proteins_per_example)
    return Kmers(arrays["components"], model)


def fit_kmers(
    sequences: Sequence[str], members: IntArray, targets: np.ndarray, *, kind: str
) -> Kmers:
    """Fit labels on the 3-mers of each protein, reduced to their principal directions.

    The square roots of the frequencies are projected to the largest singular directions of the
    distinct train proteins, so that neither time nor memory grows with 8,000 words per example.

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
        If members and targets do not fit together.

    Examples
    --------
    >>> pairs, values = np.array([[0, 1], [1, 2], [2, 0]]), np.array([0.0, 1.0, 2.0])
    >>> baseline = fit_kmers(["ACD", "DDEA", "GGGG"], pairs, values, kind="continuous")
    >>> baseline.predict(["ACD", "DDEA"], np.array([[0, 1], [1, 0]])).shape
    (2,)
    """
    from sklearn.utils.extmath import randomized_svd  # slow to load

    check_members(members, len(sequences))
    features = kmer_features(sequences)
    train = np.unique(members)
    train = train[:: math.ceil(len(train) / MOST_PROTEINS)]
    kept = min(COMPONENTS[members.shape[1]], len(train))
    _, _, directions = randomized_svd(features[train], kept, n_iter=ITERATIONS, random_state=0)
    components = np.ascontiguousarray(directions.T)
    return Kmers(components, fit_linear(features @ components, members, targets, kind=kind))


def kmer_features(sequences: Sequence[str]) -> csr_matrix:
    """Yield the square roots of the frequencies of all 3-mers of the 20 amino acids.

    Words with another letter are left out.

    Parameters
    ----------
    sequences
        One-letter residues. Length P.

    Returns
    -------
    scipy.sparse.csr_matrix
        Shape (P, 8000); rows of proteins shorter than three residues are empty.

    Examples
    --------
    >>> kmer_features(["AAAAC", "AX"]).toarray()[:, :2].round(2)
    array([[0.82, 0.58],
           [0.  , 0.  ]], dtype=float32)
    """
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    codes = letter_codes("".join(sequences))
    protein = np.repeat(np.arange(len(sequences)), lengths)
    windows = max(len(codes) - LENGTH + 1, 0)
    words, whole = np.zeros(windows, dtype=np.int64), np.ones(windows, dtype=bool)
    for offset in range(LENGTH):
        here = codes[offset : offset + windows]
        words = words * LETTERS + here
        whole &= here < LETTERS
    whole &= protein[:windows] == protein[LENGTH - 1 :]  # no word reaches into the next protein
    rows, columns = protein[:windows][whole], words[whole]
    shape = (len(sequences), WORDS)
    counts = csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)
    per_protein = np.maximum(np.bincount(rows, minlength=len(sequences)), 1)
    counts.data = np.sqrt(counts.data / np.repeat(per_protein, np.diff(counts.indptr)))
    counts.data = counts.data.astype(np.float32)
    return counts
