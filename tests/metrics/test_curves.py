import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve, roc_curve

from peftide.metrics import curve_points, thinned


@pytest.mark.parametrize("count", [1, 2, 399, 400, 401, 52_048])
def test_long_curves_are_thinned_and_keep_their_ends(count: int) -> None:
    kept = thinned(count, 400)
    assert len(kept) == min(count, 400)
    assert (kept[0], kept[-1]) == (0, count - 1)
    assert (np.diff(kept) > 0).all()


def test_short_curves_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    labels, scores = generator.integers(0, 2, 60).astype(float), generator.normal(size=60)
    precision, recall, _ = precision_recall_curve(labels, scores)
    x, y = curve_points("precision_recall", labels, scores, most=1000)
    known = zip(recall[:-1].tolist(), precision[:-1].tolist(), strict=True)
    assert set(known) <= set(zip(x.tolist(), y.tolist(), strict=True))
    false, true, _ = roc_curve(labels, scores)
    x, y = curve_points("roc", labels, scores, most=1000)
    assert (x.tolist(), y.tolist()) == (false.tolist(), true.tolist())


def test_equal_scores_are_a_straight_line() -> None:
    x, y = curve_points("precision_recall", np.array([0.0, 1, 0, 1]), np.zeros(4), most=9)
    assert (x[0], x[-1]) == (1, 0)
    assert set(y.tolist()) == {0.5}
    x, y = curve_points("roc", np.array([0.0, 1, 1]), np.zeros(3), most=9)
    assert (x.tolist(), y.tolist()) == ([0, 1], [0, 1])


def test_a_miss_before_equal_scores_lowers_the_whole_curve() -> None:
    """By hand: one negative first, then 10 positives: the share of hits is t / (1 + t)."""
    x, y = curve_points("precision_recall", np.array([0.0, *[1] * 10]), np.eye(11)[0], most=1000)
    inside = x > 1e-9
    np.testing.assert_allclose(y[inside], 10 * x[inside] / (1 + 10 * x[inside]))


def test_equal_scores_after_a_hit_are_drawn_in_random_order() -> None:
    """By hand: one positive first, then 9 positives and 10 negatives with one score."""
    labels = np.array([1.0, *[1] * 9, *[0] * 10])
    scores = np.array([1.0, *[0] * 19])
    x, y = curve_points("precision_recall", labels, scores, most=1000)
    assert np.abs(np.diff(x)).max() < 0.05
    positives = 10 * x
    rows = 1 + (positives - 1) / 9 * 19
    inside = x > 0.1 + 1e-9
    np.testing.assert_allclose(y[inside], (positives / rows)[inside])
    assert y[inside].max() < 1
