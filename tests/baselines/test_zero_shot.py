import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from peftide.baselines.letters import STANDARD_RESIDUES
from peftide.baselines.zero_shot import SubstitutionScores, fit_zero_shot, load_zero_shot
from peftide.errors import InputError
from tests.conftest import random_sequences

(WILD,) = random_sequences(1, lengths=(30, 31))
SCORES = SubstitutionScores(WILD, np.random.default_rng(0).normal(size=(30, 20)))


def variant(*changes: tuple[int, str]) -> str:
    residues = [*WILD]
    for site, letter in changes:
        residues[site] = letter
    return "".join(residues)


def test_the_score_of_a_variant_is_the_sum_of_its_substitutions() -> None:
    first, second = (3, "W"), (20, "C")
    wanted = [SCORES.by_letter[site, STANDARD_RESIDUES.index(new)] for site, new in (first, second)]
    found = SCORES.of([WILD, variant(first), variant(first, second), variant((4, "X"))])
    np.testing.assert_allclose(found, [0, wanted[0], sum(wanted), 0])


def test_labels_are_a_line_of_the_score() -> None:
    """Reference: scikit-learn's line; the smallest penalty of ridge changes it little."""
    sequences = [variant((site, new)) for site in range(30) for new in "ACDW" if new != WILD[site]]
    scores, rows = SCORES.of(sequences), np.arange(len(sequences))[:, None]
    labels = 3 - 2 * scores + np.random.default_rng(1).normal(size=len(scores))
    fitted = fit_zero_shot(sequences, rows, labels, kind="continuous", scores=SCORES)
    wanted = LinearRegression().fit(scores[:, None], labels).predict(scores[:, None])
    np.testing.assert_allclose(fitted.predict(sequences, rows), wanted, rtol=0.05)
    again = load_zero_shot(fitted.arrays(), kind="continuous", proteins_per_example=1)
    assert again.scores.wild_type == WILD
    np.testing.assert_array_equal(again.predict(sequences, rows), fitted.predict(sequences, rows))


def test_without_scores_there_is_none() -> None:
    with pytest.raises(InputError, match="no output layer that scores substitutions"):
        fit_zero_shot([WILD], np.zeros((1, 1), dtype=int), np.zeros(1), kind="continuous")
