import numpy as np
import pytest

from peftide.planning.cost import Cost, Load, Seconds, fit_cost, load_of

TRUE = np.array([2e-3, 3e-5, 4e-8, 5e-4])


def load(lengths: list[int]) -> Load:
    return load_of(np.array(lengths), [np.arange(len(lengths))])


def test_a_load_counts_calls_of_attention_by_distinct_lengths() -> None:
    found = load_of(np.array([5, 5, 9, 9, 9]), [np.array([0, 1]), np.array([2, 3, 4])])
    assert found == Load(batches=2, tokens=37, squares=2 * 25 + 3 * 81, calls=2)
    assert found + found == found * 2


def test_a_known_cost_is_found_again_from_its_times() -> None:
    works = [load(lengths) for lengths in ([50] * 40, [500] * 4, [1000, 1001], [100, 101, 102])]
    works += [load([256] * 8), load([64] * 3)]
    times = [
        Seconds(float(TRUE @ work.values()), 2 * float(TRUE @ work.values())) for work in works
    ]
    cost = fit_cost([work.values() for work in works], times)
    unseen = load([30, 31, 32, 33, 800, 801]) * 7
    expected = float(TRUE @ unseen.values())
    assert cost.of(unseen.values()).cpu == pytest.approx(expected, rel=1e-3)
    assert cost.of(unseen.values()).wall == pytest.approx(2 * expected, rel=1e-3)


def test_no_cost_is_negative_whatever_was_measured() -> None:
    works = [load([n]).values() for n in (100, 200, 400)]
    cost = fit_cost(works, [Seconds(3, 3), Seconds(2, 2), Seconds(1, 1)])
    assert (cost.coefficients >= 0).all()


def test_layers_multiply_a_cost() -> None:
    assert (Cost(TRUE, 2.0) * 3).of(np.ones(4)) == Cost(TRUE, 2.0).of(3 * np.ones(4))
