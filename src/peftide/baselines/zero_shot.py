"""Variants of one sequence: the score of a language model that no variant has trained.

References: Meier et al. 2021, doi 10.1101/2021.07.09.450648 (wild-type marginals).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from peftide.baselines.letters import OTHER, as_bytes, from_bytes, letter_codes
from peftide.baselines.penalised import PenalisedModel, fit_penalised
from peftide.errors import InputError
from peftide.similarity.reference import DELETED, INSERTED, changes
from peftide.types import FloatArray, IntArray


@dataclass(frozen=True)
class SubstitutionScores:
    """Scores of all single substitutions of a wild type, by a language model.

    Attributes
    ----------
    wild_type
        Sequence of L residues.
    by_letter
        How much likelier each letter is than the residue of the wild type, in nats; letters as in
        `STANDARD_RESIDUES`. Shape (L, 20).
    """

    wild_type: str
    by_letter: FloatArray

    def of(self, sequences: Sequence[str]) -> FloatArray:
        """Yield the summed score of the substitutions of each sequence. Shape (P,).

        Examples
        --------
        >>> scores = SubstitutionScores("MK", np.arange(40.0).reshape(2, 20))
        >>> scores.of(["MK", "AK", "AC"])
        array([ 0.,  0., 21.])
        """
        found = changes(sequences, self.wild_type)
        replaced = (found.letter != DELETED) & (found.letter != INSERTED)
        letters = bytes(np.where(replaced, found.letter, ord("X")).tolist()).decode("ascii")
        codes = letter_codes(letters)
        known = codes < OTHER
        sums = np.zeros(len(sequences))
        values = self.by_letter[found.site[known], codes[known]]
        np.add.at(sums, found.sequence[known], values)
        return sums


@dataclass(frozen=True)
class ZeroShot:
    """Scores of substitutions on the scale of the labels; made by `fit_zero_shot`.

    Attributes
    ----------
    scores
        By the language model.
    model
        From the score of a sequence to its label.
    """

    scores: SubstitutionScores
    model: PenalisedModel

    def predict(self, sequences: Sequence[str], members: IntArray) -> FloatArray:
        """Yield a probability (B,) or a value (B,) per row.

        Examples
        --------
        >>> scores = SubstitutionScores("MK", np.arange(40.0).reshape(2, 20))
        >>> rows, labels = np.arange(3)[:, None], np.array([0.0, 1.0, 2.0])
        >>> fitted = fit_zero_shot(
        ...     ["MK", "MV", "WK"], rows, labels, kind="continuous", scores=scores)
        >>> fitted.predict(["MV", "MW"], np.array([[0], [1]])).round(1).shape
        (2,)
        """
        return self.model.predict(csr_matrix(self.scores.of(sequences)[:, None]), members)

    def arrays(self) -> dict[str, np.ndarray]:
        """Yield all numbers by name, and the wild type as its letters."""
        letters = as_bytes(self.scores.wild_type)
        return {"wild_type": letters, "scores": self.scores.by_letter} | self.model.arrays()


def load_zero_shot(
    arrays: Mapping[str, np.ndarray], *, kind: str, proteins_per_example: int
) -> ZeroShot:
    """Yield the baseline that `ZeroShot.arrays` came from."""
    assert proteins_per_example == 1
    wild_type = from_bytes(arrays["wild_type"])
    scores = SubstitutionScores(wild_type, arrays["scores"])
    return ZeroShot(scores, PenalisedModel.from_arrays(arrays, kind=kind))


def fit_zero_shot(
    sequences: Sequence[str],
    members: IntArray,
    targets: np.ndarray,
    *,
    kind: str,
    scores: SubstitutionScores | None = None,
) -> ZeroShot:
    """Fit slope and intercept from the score of each variant to its label.

    A slope changes no rank but turns the order round if high scores go with low labels in train.

    Parameters
    ----------
    sequences
        Proteins; only proteins that `members` names have an influence.
    members
        Index of each row's sequence. Shape (B, 1).
    targets, kind
        As `peftide.baselines.linear.fit_linear` takes them.
    scores
        By the language model.

    Raises
    ------
    InputError
        If there are no scores, or members and targets do not fit together.
    """
    if scores is None:
        raise InputError("the backbone has no output layer that scores substitutions")
    features = csr_matrix(scores.of(sequences)[:, None])
    model = fit_penalised(features, members, targets, kind=kind, scalings=[np.ones(1)])
    return ZeroShot(scores, model)
