"""How baselines learn an outcome without a language model: linear scores, counts, neighbours."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit, logit, softmax

from peftide.errors import InputError
from peftide.types import FloatArray, IntArray

MAX_ITERATIONS = 2_000
RIDGE_PENALTIES = np.logspace(-3, 5, 17)
Features = FloatArray | csr_matrix
"""Features of each row. Shape (B, F)."""
EQUAL = 1e-9  # similarities closer than this are equal
SOFTENING = 0.01  # in the weight of a neighbour: 1 / (1 − similarity + this)


@dataclass(frozen=True)
class Shallow:
    """The rules by which baselines learn and answer one kind of outcome.

    Targets have shape (B,), or (B, K) if the outcome has classes.

    Attributes
    ----------
    checked
        Targets → the same as int64 or float64; raises `InputError` if a value makes no sense.
    linear
        (features, checked targets) → weights (K, F) and intercepts (K,) of linear scores. An
        intercept of ±infinity gives the same answer for all features.
    tallied
        Checked targets → the columns that are counted for each protein. Shape (B, K).
    from_tallies
        (tallies (P, K), pairs (P,), prior (K,), members= (B, 2)) → answers (B,) or (B, K):
        tallies are sums of the columns of each protein's training pairs, the prior their mean.
    averaged
        Checked targets → the columns that neighbours average. Shape (B, K).
    nearness
        (similarity, highest similarity) → weight of each neighbour. Shape (H,).
    """

    checked: Callable[[np.ndarray], np.ndarray]
    linear: Callable[[Features, np.ndarray], tuple[FloatArray, FloatArray]]
    tallied: Callable[[np.ndarray], np.ndarray]
    from_tallies: Callable[..., FloatArray]
    averaged: Callable[[np.ndarray], np.ndarray]
    nearness: Callable[[FloatArray, FloatArray], FloatArray]


def as_columns(targets: np.ndarray) -> np.ndarray:
    """Return targets with one column per class or value.

    Examples
    --------
    >>> as_columns(np.array([1, 0])).tolist()
    [[1], [0]]
    """
    return targets.reshape(len(targets), -1)


def zeros_and_ones(targets: np.ndarray) -> np.ndarray:
    """Return targets as int64.

    Raises
    ------
    InputError
        If one is neither 0 nor 1.

    Examples
    --------
    >>> zeros_and_ones(np.array([True, False]))
    array([1, 0])
    """
    if not np.isin(targets, (0, 1)).all():
        raise InputError("targets other than 0 and 1", expected="0 or 1 only")
    return targets.astype(np.int64)


def fit_yes_or_no(features: Features, labels: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return weights and intercepts of one logistic regression per column of labels.

    Examples
    --------
    >>> weights, intercepts = fit_yes_or_no(np.array([[0.0], [1.0]]), np.array([1, 1]))
    >>> weights.tolist(), intercepts.tolist()
    ([[0.0]], [inf])
    """
    columns = [_fit_column(features, column) for column in as_columns(labels).T]
    return np.stack([found for found, _ in columns]), np.array([found for _, found in columns])


def _fit_column(features: Features, labels: IntArray) -> tuple[FloatArray, float]:
    if np.unique(labels).size == 1:
        return np.zeros(features.shape[1]), np.inf if labels[0] else -np.inf  # type: ignore[reportOptionalSubscript]
    model = _logistic_regression().fit(features, labels)
    return np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0])


def _logistic_regression() -> Any:
    from sklearn.linear_model import LogisticRegression  # slow to load, and seldom needed

    return LogisticRegression(max_iter=MAX_ITERATIONS)


def fit_one_of(features: Features, membership: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return weights and intercepts of a multinomial logistic regression.

    A row with n classes enters once per class, with weight 1/n.

    Examples
    --------
    >>> _, intercepts = fit_one_of(np.array([[0.0], [1.0]]), np.array([[1, 0], [1, 0]]))
    >>> intercepts.tolist()
    [0.0, -inf]
    """
    rows, classes = np.nonzero(membership)
    present = np.unique(classes)
    weights = np.zeros((membership.shape[1], features.shape[1]))  # type: ignore[reportOptionalSubscript]
    intercepts = np.full(membership.shape[1], -np.inf)
    if len(present) == 1:
        intercepts[present] = 0
        return weights, intercepts
    model = _logistic_regression()
    with warnings.catch_warnings():
        # scikit-learn takes classes with one or two rows each for values
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        model.fit(features[rows], classes, sample_weight=1 / membership.sum(axis=1)[rows])
    coefficients, offsets = model.coef_, model.intercept_
    if len(present) == 2:  # scikit-learn keeps only the second of two classes
        coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
        offsets = np.concatenate([np.zeros_like(offsets), offsets])
    weights[present], intercepts[present] = coefficients, offsets
    return weights, intercepts


def fit_values(features: Features, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weights and intercept of a ridge regression with the least leave-one-out error.

    Examples
    --------
    >>> fit_values(np.array([[3.0]]), np.array([2.0]))  # leaving one out needs two rows
    (array([[0.]]), array([2.]))
    """
    if len(values) == 1:
        return np.zeros((1, features.shape[1])), values  # type: ignore[reportOptionalSubscript]
    from sklearn.linear_model import RidgeCV  # as above

    model = RidgeCV(alphas=RIDGE_PENALTIES).fit(features, values)
    return np.asarray(model.coef_)[None], np.array([model.intercept_])


def odds_of_one(
    tallies: FloatArray, pairs: FloatArray, prior: FloatArray, *, members: IntArray
) -> FloatArray:
    """Return probabilities that sum to 1: log odds = log(prior) + Σ log(tally + 1).

    Examples
    --------
    >>> tallies, prior = np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([0.5, 0.5])
    >>> odds_of_one(tallies, np.ones(2), prior, members=np.array([[0, 1]])).round(3)
    array([[0.667, 0.333]])
    """
    del pairs
    known = np.log(tallies + 1)
    with np.errstate(divide="ignore"):
        scores = np.log(prior) + (known[members[:, 0]] + known[members[:, 1]])
    return softmax(scores, axis=1)


def odds_of_each(
    tallies: FloatArray, pairs: FloatArray, prior: FloatArray, *, members: IntArray
) -> FloatArray:
    """Return the probability of each class against all pairs without it.

    Examples
    --------
    >>> tallies, prior = np.array([[1.0], [0.0]]), np.array([0.5])
    >>> odds_of_each(tallies, np.ones(2), prior, members=np.array([[0, 0]])).round(3)
    array([[0.8]])
    """
    known = np.log(tallies + 1)
    known -= np.log(pairs[:, None] - tallies + 1)
    return expit(logit(prior) + (known[members[:, 0]] + known[members[:, 1]]))


def mean_of_both(
    tallies: FloatArray, pairs: FloatArray, prior: FloatArray, *, members: IntArray
) -> FloatArray:
    """Return the mean of both proteins' mean values, each with the prior counted once.

    Examples
    --------
    >>> tallies, prior = np.array([[6.0], [0.0]]), np.array([2.0])
    >>> mean_of_both(tallies, np.array([1.0, 0.0]), prior, members=np.array([[0, 1]]))
    array([3.])
    """
    known = (tallies[:, 0] + prior[0]) / (pairs + 1)
    return known[members].mean(axis=1)


def nearest_only(similarity: FloatArray, best: FloatArray) -> FloatArray:
    """Return 1 for the most similar neighbours, and 0 for others.

    Examples
    --------
    >>> nearest_only(np.array([0.5, 0.9]), np.array([0.9, 0.9]))
    array([0., 1.])
    """
    return (similarity >= best - EQUAL).astype(np.float64)


def all_by_nearness(similarity: FloatArray, _best: FloatArray) -> FloatArray:
    """Return a weight for every neighbour: 1 / (1 − similarity + 0.01).

    Examples
    --------
    >>> all_by_nearness(np.array([1.0]), np.array([1.0])).round(6)
    array([100.])
    """
    return 1 / (1 - similarity + SOFTENING)
