import numpy as np
import pytest
from scipy.special import expit

from peftide.errors import InputError
from peftide.outcomes import OUTCOMES, Labels
from peftide.outcomes.shallow import (
    all_by_nearness,
    fit_one_of,
    fit_yes_or_no,
    mean_of_both,
    nearest_only,
    odds_of_each,
    odds_of_one,
)

GENERATOR = np.random.default_rng(0)
FEATURES = GENERATOR.normal(size=(40, 3))
TARGETS = {
    "binary": GENERATOR.integers(0, 2, 40),
    "categorical": np.eye(3, dtype=np.int64)[GENERATOR.integers(0, 3, 40)],
    "multilabel": GENERATOR.integers(0, 2, (40, 3)),
    "continuous": GENERATOR.normal(size=40),
}


@pytest.mark.parametrize("kind", OUTCOMES)
def test_every_rule_takes_the_output_of_the_one_before(kind: str) -> None:
    """Linear scores, tallies and neighbours all end in answers of the shape of the targets."""
    shallow, targets = OUTCOMES[kind].shallow, TARGETS[kind]
    checked = shallow.checked(targets)
    weights, intercepts = shallow.linear(FEATURES, checked)
    linear = OUTCOMES[kind].answers(FEATURES @ weights.T + intercepts, Labels())
    columns = shallow.tallied(checked).astype(np.float64)
    tallies, pairs = columns.cumsum(axis=0), np.arange(1.0, 41)
    members = np.array([[0, 1], [5, 39]])
    counted = shallow.from_tallies(tallies, pairs, columns.mean(axis=0), members=members)
    assert linear.shape == targets.shape
    assert counted.shape == targets[:2].shape
    assert len(shallow.averaged(checked)) == 40
    assert shallow.nearness(np.array([0.5, 0.9]), np.array([0.9, 0.9]))[1] > 0


@pytest.mark.parametrize(
    ("kind", "targets"),
    [
        ("binary", np.array([0, 2])),
        ("multilabel", np.array([[0, -1]])),
        ("categorical", np.array([[0, 1], [0, 0]])),
        ("continuous", np.array([0.0, np.nan])),
    ],
)
def test_targets_that_make_no_sense_are_refused(kind: str, targets: np.ndarray) -> None:
    with pytest.raises(InputError):
        OUTCOMES[kind].shallow.checked(targets)


def test_classes_without_rows_get_no_probability() -> None:
    weights, intercepts = fit_one_of(FEATURES, np.eye(4, dtype=np.int64)[np.arange(40) % 2])
    assert np.isneginf(intercepts[2:]).all()
    assert not weights[2:].any()
    _, alone = fit_yes_or_no(FEATURES, np.zeros(40, dtype=np.int64))
    assert np.isneginf(alone).all()


def test_two_classes_agree_with_one_yes_or_no() -> None:
    tallies = np.array([[3.0, 1.0], [0.0, 2.0]])
    prior, members = np.array([0.25, 0.75]), np.array([[0, 1], [1, 1]])
    pairs = tallies.sum(axis=1)
    both = odds_of_one(tallies, pairs, prior, members=members)
    each = odds_of_each(tallies[:, 1:], pairs, prior[1:], members=members)
    np.testing.assert_allclose(both[:, 1], each[:, 0])
    np.testing.assert_allclose(each[0, 0], expit(np.log(3) + np.log(2 / 4) + np.log(3 / 1)))


def test_proteins_without_pairs_get_the_prior() -> None:
    found = mean_of_both(np.zeros((1, 1)), np.zeros(1), np.array([2.5]), members=np.array([[0, 0]]))
    assert found.tolist() == [2.5]


def test_ties_of_the_nearest_all_count() -> None:
    assert nearest_only(np.array([0.7, 0.7, 0.3]), np.full(3, 0.7)).tolist() == [1, 1, 0]
    near, far = all_by_nearness(np.array([0.9, 0.3]), np.full(2, 0.9))
    assert near > far > 0


def test_as_many_classes_as_rows_are_fitted_without_a_warning() -> None:
    features = np.eye(30)
    weights, intercepts = fit_one_of(features, np.eye(30, dtype=np.int64))
    assert (features @ weights.T + intercepts).argmax(axis=1).tolist() == list(range(30))
