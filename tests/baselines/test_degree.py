import numpy as np
import pytest

from peftide.baselines import fit_degree, fit_positive_degree
from peftide.errors import InputError
from tests.conftest import random_sequences

SEQUENCES = random_sequences(30)
GENERATOR = np.random.default_rng(0)
PAIRS = GENERATOR.integers(0, 20, (150, 2))
LABELS = GENERATOR.integers(0, 2, 150)


def degrees_by_hand(label: int) -> list[int]:
    """Return how many pairs of a label each protein has; one with itself counts once."""
    return [
        sum(p in pair and y == label for pair, y in zip(PAIRS.tolist(), LABELS, strict=True))
        for p in range(30)
    ]


def test_pairs_are_ranked_by_the_sum_of_log_ratios() -> None:
    positive, negative = np.array(degrees_by_hand(1)), np.array(degrees_by_hand(0))
    asked = GENERATOR.integers(0, 30, (100, 2))
    ratios = np.log((positive + 1) / (negative + 1))[asked].sum(axis=1)
    found = fit_degree(SEQUENCES, PAIRS, LABELS, kind="binary").predict(SEQUENCES, asked)
    shares = LABELS.mean(), 1 - LABELS.mean()
    wanted = 1 / (1 + np.exp(-(ratios + np.log(shares[0] / shares[1]))))
    np.testing.assert_allclose(found, wanted)


def test_positive_degrees_are_added_up() -> None:
    asked = GENERATOR.integers(0, 30, (100, 2))
    total = np.array(degrees_by_hand(1))[asked].sum(axis=1)
    found = fit_positive_degree(SEQUENCES, PAIRS, LABELS, kind="binary")
    np.testing.assert_allclose(found.predict(SEQUENCES, asked), total / (total + 1))


def test_proteins_that_train_never_names_are_answered_with_the_share_of_train() -> None:
    found = fit_degree(SEQUENCES, PAIRS, LABELS, kind="binary")
    unseen = found.predict(SEQUENCES, np.array([[25, 26], [28, 28]]))
    np.testing.assert_allclose(unseen, LABELS.mean())


def test_a_protein_is_known_by_its_sequence() -> None:
    found = fit_degree(SEQUENCES, PAIRS, LABELS, kind="binary")
    here = found.predict(SEQUENCES, np.array([[3, 4]]))
    there = found.predict([SEQUENCES[4], SEQUENCES[3]], np.array([[1, 0]]))
    assert here == there
    assert found.pairs_of([SEQUENCES[3], "MK"]).tolist() == [
        degrees_by_hand(0)[3] + degrees_by_hand(1)[3],
        0,
    ]


def test_several_classes_follow_their_degrees() -> None:
    pairs = np.array([[0, 1], [0, 2], [0, 3], [4, 5]])
    classes = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]])
    found = fit_degree(SEQUENCES, pairs, classes, kind="categorical")
    # prior ½, ½, 0; protein 0 has degrees 2, 1, 0 and protein 4 has 0, 1, 0
    wanted = np.array([0.5 * 3 * 1, 0.5 * 2 * 2, 0])
    np.testing.assert_allclose(
        found.predict(SEQUENCES, np.array([[4, 0]])), [wanted / wanted.sum()]
    )


def test_of_classes_that_may_be_right_at_once_each_is_a_yes_or_no() -> None:
    both = np.column_stack([LABELS, 1 - LABELS])
    asked = GENERATOR.integers(0, 30, (50, 2))
    found = fit_degree(SEQUENCES, PAIRS, both, kind="multilabel").predict(SEQUENCES, asked)
    for k in range(2):
        alone = fit_degree(SEQUENCES, PAIRS, both[:, k], kind="binary").predict(SEQUENCES, asked)
        np.testing.assert_allclose(found[:, k], alone)


def test_values_are_means_of_each_protein_drawn_to_that_of_train() -> None:
    pairs, values = np.array([[0, 1], [0, 2], [3, 3]]), np.array([1.0, 3.0, 8.0])
    found = fit_degree(SEQUENCES, pairs, values, kind="continuous")
    # the mean of train is 4: protein 0 has (1 + 3 + 4) / 3, protein 3 has (8 + 4) / 2
    asked = np.array([[0, 3], [9, 9]])
    np.testing.assert_allclose(found.predict(SEQUENCES, asked), [(8 / 3 + 6) / 2, 4])


def test_one_label_alone_is_answered() -> None:
    found = fit_degree(SEQUENCES, PAIRS, np.ones(150, dtype=np.int64), kind="binary")
    assert found.predict(SEQUENCES, np.array([[0, 1], [28, 29]])).tolist() == [1, 1]


def test_single_sequences_have_no_degree() -> None:
    with pytest.raises(InputError, match="1 protein.s. per example; expected 2"):
        fit_degree(SEQUENCES, np.array([[0], [1]]), np.array([0, 1]), kind="binary")
