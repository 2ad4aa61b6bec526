import numpy as np
import pytest

from peftide.errors import InputError
from peftide.metrics import continuous_metrics


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """Rank of each value, equal ones share the mean: those below + half of the equal ones."""
    below = (values[None, :] < values[:, None]).sum(axis=1)
    equal = (values[None, :] == values[:, None]).sum(axis=1)
    return below + (equal + 1) / 2


def test_scores_equal_their_formulas_also_with_ties():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 6, 100).astype(float)
    predictions = np.round(values + rng.normal(size=100))
    error = values - predictions
    assert continuous_metrics(values, predictions) == pytest.approx(
        {
            "spearman": np.corrcoef(mean_ranks(values), mean_ranks(predictions))[0, 1],
            "pearson": np.corrcoef(values, predictions)[0, 1],
            "mae": np.abs(error).mean(),
            "rmse": np.sqrt((error**2).mean()),
            "r2": 1 - (error**2).sum() / ((values - values.mean()) ** 2).sum(),
        }
    )


def test_constant_predictions_have_no_correlation_but_an_error():
    scores = continuous_metrics([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    assert np.isnan([scores["spearman"], scores["pearson"]]).all()
    assert (scores["mae"], scores["r2"]) == (pytest.approx(2 / 3), 0.0)


def test_constant_values_have_neither_correlation_nor_r2():
    scores = continuous_metrics([2.0, 2.0], [1.0, 3.0])
    assert np.isnan([scores["spearman"], scores["pearson"], scores["r2"]]).all()
    assert scores["rmse"] == 1.0


def test_a_single_example_has_only_an_error():
    scores = continuous_metrics([2.0], [1.0])
    assert np.isnan([scores["spearman"], scores["pearson"], scores["r2"]]).all()
    assert scores["mae"] == 1.0


def test_nearly_constant_predictions_raise_no_warning():
    predictions = 1e9 + np.array([0.0, 1e-7, 2e-7])
    assert continuous_metrics([1.0, 2.0, 3.0], predictions)["mae"] == pytest.approx(1e9)


@pytest.mark.parametrize(
    ("values", "predictions", "message"),
    [
        ([1.0], [1.0, 2.0], "same shape"),
        ([], [], "no values"),
        ([1.0, 2.0], [1.0, float("nan")], "1 of 2 predictions are NaN"),
    ],
)
def test_wrong_input_is_refused(values: list[float], predictions: list[float], message: str):
    with pytest.raises(InputError, match=message):
        continuous_metrics(values, predictions)
