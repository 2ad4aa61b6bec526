"""Probabilities of 1, and labels → reliability curve, calibration error, Brier score."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from peftide.metrics.checks import (
    FloatValues,
    finite_array,
    require_same_shape,
    zero_one_array,
)

BINS = 10


def reliability_curve(labels: ArrayLike, probabilities: ArrayLike) -> list[dict[str, Any]]:
    """Yield ten equally wide bins of the probability, with the share of 1 found in each.

    Parameters
    ----------
    labels
        0/1 or boolean. Shape (B,).
    probabilities
        Probability of label 1. Shape (B,).

    Returns
    -------
    list of dict
        For each bin `low` (belongs to it), `high` (only in the last bin), `n`, and with any example
        in it `mean_probability` and `observed` (share of label 1), else NaN.

    Raises
    ------
    InputError
        If the arrays are empty, of different length, or hold NaN, or a label is not 0 or 1.

    Examples
    --------
    >>> reliability_curve([0, 1], [0.25, 0.25])[2]
    {'low': 0.2, 'high': 0.3, 'n': 2, 'mean_probability': 0.25, 'observed': 0.5}
    """
    truth = zero_one_array(labels, "labels", axes="B")
    scores = finite_array(probabilities, "probabilities", axes="B")
    require_same_shape(truth, scores, ("labels", "probabilities"))
    edges = np.linspace(0, 1, BINS + 1)
    bins = np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    means = [_means(values, bins, counts) for values in (scores, truth.astype(np.float64))]
    return [
        {
            "low": round(float(edges[k]), 6),
            "high": round(float(edges[k + 1]), 6),
            "n": int(counts[k]),
            "mean_probability": float(means[0][k]),
            "observed": float(means[1][k]),
        }
        for k in range(BINS)
    ]


def _means(values: FloatValues, bins: np.ndarray, counts: np.ndarray) -> FloatValues:
    sums = np.bincount(bins, weights=values, minlength=BINS)
    return np.divide(sums, counts, out=np.full(BINS, np.nan), where=counts > 0)


def calibration_scores(labels: FloatValues, probabilities: FloatValues) -> dict[str, float]:
    """Yield `ece` and `brier`; NaN for scores that are no probabilities.

    `ece`, the expected calibration error: the distance between mean probability and share of
    label 1, averaged over the bins of `reliability_curve` by their examples. `brier`: the mean of
    (label − probability)².

    Examples
    --------
    >>> calibration_scores(np.array([0.0, 1.0]), np.array([0.25, 0.75]))
    {'ece': 0.25, 'brier': 0.0625}
    """
    if probabilities.min() < 0 or probabilities.max() > 1:
        return {"ece": float("nan"), "brier": float("nan")}
    filled = [found for found in reliability_curve(labels, probabilities) if found["n"]]
    distances = [
        found["n"] * abs(found["observed"] - found["mean_probability"]) for found in filled
    ]
    return {
        "ece": float(sum(distances) / len(labels)),
        "brier": float(np.mean((labels - probabilities) ** 2)),
    }
