"""Scores of a predicted number."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from peftide.metrics.binary import NAN
from peftide.metrics.checks import FloatValues, finite_array, require_same_shape


def continuous_metrics(values: ArrayLike, predictions: ArrayLike) -> dict[str, float]:
    """Yield the scores of predicted numbers.

    Parameters
    ----------
    values
        Measured numbers. Shape (B,).
    predictions
        Predicted numbers, same unit. Shape (B,).

    Returns
    -------
    dict
        spearman (equal values share their mean rank), pearson, mae (mean absolute error), rmse
        (root mean squared error) and r2 (1 − squared error / variance; below 0 when worse than
        the mean). NaN: spearman and pearson when either side is constant; r2 when the values are.

    Raises
    ------
    InputError
        If the arrays are empty, of different length, or hold NaN.

    Examples
    --------
    >>> scores = continuous_metrics([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
    >>> scores["spearman"], scores["mae"], scores["r2"]
    (1.0, 1.0, -3.5)
    """
    from scipy.stats import pearsonr, spearmanr  # slow to load
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    truth = finite_array(values, "values", axes="B")
    predicted = finite_array(predictions, "predictions", axes="B")
    require_same_shape(truth, predicted, ("values", "predictions"))
    constant = np.ptp(truth) == 0
    return {
        "spearman": _correlation(spearmanr, truth, predicted),
        "pearson": _correlation(pearsonr, truth, predicted),
        "mae": float(mean_absolute_error(truth, predicted)),
        "rmse": float(root_mean_squared_error(truth, predicted)),
        "r2": NAN if constant else float(r2_score(truth, predicted)),
    }


def _correlation(method: Callable[..., Any], first: FloatValues, second: FloatValues) -> float:
    """Return scipy's correlation, NaN when either side is constant."""
    from scipy.stats import ConstantInputWarning, NearConstantInputWarning

    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return NAN
    with warnings.catch_warnings():
        # nearly constant numbers: scipy returns a value (or NaN) and warns about its accuracy
        warnings.simplefilter("ignore", ConstantInputWarning)
        warnings.simplefilter("ignore", NearConstantInputWarning)
        return float(method(first, second).statistic)
