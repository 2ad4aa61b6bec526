import threading

import numpy as np
import pytest

from peftide.metrics import Units, replicates_within, resample
from peftide.metrics.resampling import unit_weights


def total(weights: np.ndarray) -> dict[tuple[str, ...], np.ndarray]:
    return {("total",): weights.sum(axis=1)}


def test_a_row_of_one_unit_weighs_how_often_that_was_drawn() -> None:
    weights = np.empty(5)
    unit_weights(np.array([[0], [0], [1], [2], [2]]))(np.random.default_rng(0), weights)
    assert weights[0] == weights[1]
    assert weights[3] == weights[4]
    assert weights[0] + weights[2] + weights[3] == 3


def test_a_pair_weighs_the_product_and_a_self_pair_like_one() -> None:
    pairs = np.array([[0, 1], [1, 2], [0, 0], [1, 1], [2, 2]])
    fill = unit_weights(pairs)
    seen = set()
    for seed in range(20):
        weights = np.empty(5)
        fill(np.random.default_rng(seed), weights)
        drawn = weights[2:]
        assert drawn.sum() == 3
        assert weights[:2].tolist() == [drawn[0] * drawn[1], drawn[1] * drawn[2]]
        seen.add(tuple(drawn))
    assert len(seen) > 5


def test_replicates_have_the_moments_of_the_draws() -> None:
    """Of R rows, a resample of rows holds R; the mean of n draws has variance s² / n."""
    values = np.arange(50.0)
    units = Units(np.arange(50)[:, None], "sequence")

    def mean(weights: np.ndarray) -> dict[tuple[str, ...], np.ndarray]:
        return {("mean",): weights @ values / weights.sum(axis=1)}

    found = resample({"a": mean}, units, replicates=4000)["a"]
    assert found.values["mean",] == pytest.approx(24.5)
    assert found.by_units["mean",].var() == pytest.approx(values.var() / 50, rel=0.1)
    assert found.by_rows == {}


def test_pairs_are_resampled_by_proteins_and_by_rows() -> None:
    pairs = np.array([(a, b) for a in range(12) for b in range(a)])
    found = resample({"a": total}, Units(pairs, "protein"), replicates=300)["a"]
    assert set(found.by_rows["total",]) == {66.0}
    assert len(set(found.by_units["total",])) > 10


def test_everyone_meets_the_same_resamples_and_a_seed_repeats_them() -> None:
    units = Units(np.arange(40).reshape(20, 2), "protein")
    found = resample({"a": total, "b": total}, units, replicates=50)
    assert (found["a"].by_units["total",] == found["b"].by_units["total",]).all()
    again = resample({"a": total}, units, replicates=50)
    assert (found["a"].by_units["total",] == again["a"].by_units["total",]).all()
    other = resample({"a": total}, units, replicates=50, seed=1)
    assert (found["a"].by_units["total",] != other["a"].by_units["total",]).any()


def test_units_may_have_any_numbers() -> None:
    units = Units(np.array([[7, 900], [900, 41], [41, 7]]), "protein")
    assert units.count == 3
    assert resample({"a": total}, units, replicates=10)["a"].values["total",] == 3


def test_very_many_rows_are_resampled_less_often() -> None:
    assert replicates_within(1_000, 1) == 1000
    assert replicates_within(100_000, 8) == 500
    assert replicates_within(10_000_000, 8) == 200


@pytest.mark.parametrize("threads", [1, 3])
def test_as_many_threads_are_used_as_asked_for_and_change_no_number(threads: int) -> None:
    seen = set()

    def noted(weights: np.ndarray) -> dict[tuple[str, ...], np.ndarray]:
        seen.add(threading.get_ident())
        return {("first",): weights[:, 0]}

    units = Units(np.arange(2000)[:, None], "sequence")
    found = resample({"a": noted}, units, replicates=400, threads=threads)["a"]
    workers = seen - {threading.get_ident()}  # the caller scores the rows as they are
    assert len(workers) == 1 if threads == 1 else 1 <= len(workers) <= threads
    alone = resample({"a": noted}, units, replicates=400, threads=2)["a"]
    assert (found.by_units["first",] == alone.by_units["first",]).all()
