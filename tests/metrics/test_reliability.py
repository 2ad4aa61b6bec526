import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from peftide.errors import InputError
from peftide.metrics import binary_metrics, reliability_curve
from peftide.metrics.reliability import calibration_scores

GENERATOR = np.random.default_rng(0)
PROBABILITIES = GENERATOR.random(500)
LABELS = (GENERATOR.random(500) < PROBABILITIES**2).astype(int)


def test_the_curve_is_that_of_sklearn() -> None:
    observed, mean = calibration_curve(LABELS, PROBABILITIES, n_bins=10)
    found = reliability_curve(LABELS, PROBABILITIES)
    assert [one["observed"] for one in found] == pytest.approx(observed.tolist())
    assert [one["mean_probability"] for one in found] == pytest.approx(mean.tolist())
    assert sum(one["n"] for one in found) == 500


def test_the_error_is_the_weighted_distance_of_the_curve() -> None:
    """Hand calculation: 3 of 4 at 0.25 with share 1/3, and 1 at 0.95 that is 1."""
    found = calibration_scores(np.array([0.0, 0, 1, 1]), np.array([0.25, 0.25, 0.25, 0.95]))
    assert found["ece"] == pytest.approx(3 / 4 * (1 / 3 - 0.25) + 1 / 4 * 0.05)


def test_the_brier_score_is_that_of_sklearn() -> None:
    found = binary_metrics(LABELS, PROBABILITIES, threshold=0.5)
    assert found["brier"] == pytest.approx(brier_score_loss(LABELS, PROBABILITIES))


def test_ends_of_the_scale_belong_to_a_bin_and_empty_bins_are_nan() -> None:
    found = reliability_curve([0, 1], [0.0, 1.0])
    assert [one["n"] for one in found] == [1, *[0] * 8, 1]
    assert np.isnan(found[4]["observed"])


def test_scores_that_are_no_probabilities_have_neither() -> None:
    found = binary_metrics([0, 1], [-2.0, 3.0], threshold=0.5)
    assert np.isnan(found["ece"])
    assert np.isnan(found["brier"])


def test_labels_and_probabilities_must_fit() -> None:
    with pytest.raises(InputError, match="same shape"):
        reliability_curve([0, 1], [0.5])
