import json

import numpy as np
import pytest

from peftide.evaluation.conformal import Conformal, coverage, fit_conformal, set_names

GENERATOR = np.random.default_rng(0)


def simulated(rows: int, *, share: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities that overlap, and labels of which `share` are 1."""
    labels = (GENERATOR.random((rows, 1)) < share).astype(float)
    return 1 / (1 + np.exp(-(GENERATOR.normal(size=rows) + 2 * labels[:, 0] - 1))), labels


@pytest.mark.parametrize("error_rate", [0.05, 0.2])
def test_each_class_is_covered_as_often_as_asked_whatever_its_share(error_rate: float) -> None:
    found = fit_conformal(*simulated(4000, share=0.3))
    probabilities, labels = simulated(20_000, share=0.02)
    sets = found.sets(probabilities, error_rate)
    covered = coverage(sets, labels, ["0", "1"])["coverage"]
    assert covered["0"]["value"] == pytest.approx(1 - error_rate, abs=0.025)
    assert covered["1"]["value"] == pytest.approx(1 - error_rate, abs=0.05)
    assert covered["0"]["n"] + covered["1"]["n"] == 20_000


def test_the_limit_is_the_rank_of_the_formula() -> None:
    """Hand calculation: 9 rows of no; rank ⌈10 · 0.8⌉ = 8 of their probabilities of yes."""
    probabilities = np.array([*np.arange(1, 10) / 10, 0.95])
    found = fit_conformal(probabilities, np.array([[0.0]] * 9 + [[1.0]]))
    assert found.limits(0.2)[0] == pytest.approx(0.8)
    assert found.limits(0.2)[1] == np.inf  # one row of yes is too few for an error rate of 0.2
    assert found.limits(0.5)[1] == pytest.approx(0.05)


def test_thinned_ranks_are_never_less_careful() -> None:
    probabilities, labels = simulated(30_000)
    found = fit_conformal(probabilities, labels)
    assert max(len(ranks) for ranks in found.ranks) == 1000
    strangeness = np.sort(probabilities[labels[:, 0] == 0])
    for error_rate in (0.01, 0.1, 0.37):
        exact = strangeness[int(np.ceil((len(strangeness) + 1) * (1 - error_rate))) - 1]
        assert exact <= found.limits(error_rate)[0] <= exact + 0.02


def test_a_class_without_validation_rows_is_in_every_set() -> None:
    found = fit_conformal(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([[1.0, 0], [1, 0]]))
    assert found.sets(np.array([[1.0, 0.0]]), 0.5)[0, 1]


def test_a_row_of_two_classes_counts_for_both() -> None:
    found = fit_conformal(np.array([[0.6, 0.4]]), np.array([[0.5, 0.5]]))
    assert found.counts == (1, 1)


def test_stored_limits_are_the_same() -> None:
    found = fit_conformal(*simulated(50))
    assert Conformal.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_sets_are_written_with_commas() -> None:
    sets = np.array([[True, False, True], [False] * 3, [False, True, False]])
    assert set_names(sets, ["C1", "C2", "D2"]) == ["C1,D2", "", "C2"]


def test_sizes_of_sets_are_counted() -> None:
    sets = np.array([[True, True], [True, False], [False, False], [True, True]])
    found = coverage(sets, np.zeros((4, 1)), ["0", "1"])
    assert (found["mean_size"], found["single"], found["empty"]) == (1.25, 0.25, 0.25)
    assert found["coverage"]["0"] == {"value": 0.75, "n": 4}
    assert np.isnan(found["coverage"]["1"]["value"])
