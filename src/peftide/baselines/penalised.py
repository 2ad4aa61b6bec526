"""Sparse features of sequences, and labels → a linear model whose penalty train chooses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, diags_array

from peftide.baselines.checks import check_as_fitted, check_members, checked_targets
from peftide.errors import InputError
from peftide.outcomes import OUTCOMES, Labels
from peftide.outcomes.shallow import RIDGE_PENALTIES, as_columns
from peftide.types import FloatArray, IntArray

BLOCK = 8_192  # rows whose projections are in memory at a time
FOLDS = 3
FINALISTS = 2  # scales that are compared on more than the first fold
MOST_COMPARED = 3_000  # rows on which cross-validation compares the scales of a classifier
MOST_CELLS = 100_000  # rows times classes of that comparison
MOST_CLASSES = 64
SCALES = (0.03, 0.1, 0.3, 1.0)
"""Factors of the features of a classifier, ascending: its penalty on weights is fixed, so a small
factor is a strong penalty."""
SMALLEST = 1e-12  # probability that a log loss can see


@dataclass(frozen=True)
class PenalisedModel:
    """Linear scores on sparse features; made by `fit_penalised`.

    Attributes
    ----------
    kind
        Kind of outcome, a key of `OUTCOMES`.
    weights, intercepts
        One row per class or value; one row for yes or no. Shapes (K, F) and (K,).
    """

    kind: str
    weights: FloatArray
    intercepts: FloatArray

    def predict(self, features: csr_matrix, members: IntArray) -> FloatArray:
        """Yield a probability (B,), probabilities (B, K) or a value (B,) per row.

        Parameters
        ----------
        features
            Features of each sequence. Shape (P, F).
        members
            Indices into `features`. Shape (B, 1).

        Raises
        ------
        InputError
            If `members` does not fit.
        """
        check_members(members, features.shape[0])  # type: ignore[reportOptionalSubscript]
        check_as_fitted(members, 1)
        linear = np.asarray(features @ self.weights.T)[members[:, 0]] + self.intercepts
        return OUTCOMES[self.kind].answers(linear, Labels())

    def arrays(self) -> dict[str, np.ndarray]:
        """Yield all numbers by name."""
        return {"weights": self.weights, "intercepts": self.intercepts}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], *, kind: str) -> "PenalisedModel":
        """Yield the model that `arrays` came from."""
        return cls(kind, arrays["weights"], arrays["intercepts"])


def fit_penalised(
    features: csr_matrix,
    members: IntArray,
    targets: np.ndarray,
    *,
    kind: str,
    scalings: Sequence[FloatArray],
) -> PenalisedModel:
    """Fit labels on sparse features of sequences.

    Parameters
    ----------
    features
        Features of each sequence. Shape (P, F).
    members
        Index of each row's sequence. Shape (B, 1).
    targets, kind
        As `peftide.baselines.linear.fit_linear` takes them.
    scalings
        Candidate factors of the features; cross-validation on the rows chooses one.
        Shape (F,) each.

    Raises
    ------
    InputError
        If members and targets do not fit together, or there are more than 64 classes.

    Examples
    --------
    >>> rows, features = np.arange(4)[:, None], csr_matrix([[0.0], [0.1], [0.9], [1.0]])
    >>> labels = np.array([0.0, 0.1, 0.9, 1.0])
    >>> model = fit_penalised(features, rows, labels, kind="continuous", scalings=[np.ones(1)])
    >>> model.predict(csr_matrix([[0.5]]), np.array([[0]])).round(2)
    array([0.5])
    """
    check_members(members, features.shape[0])  # type: ignore[reportOptionalSubscript]
    check_as_fitted(members, 1)
    labels = checked_targets(targets, len(members), OUTCOMES[kind])
    classes = as_columns(labels).shape[1]
    if classes > MOST_CLASSES:
        raise InputError(f"it predicts at most {MOST_CLASSES} classes, and there are {classes:,}")
    rows = csr_matrix(features[members[:, 0]])
    fit = _fit_classes if OUTCOMES[kind].supports_imbalance else _fit_values
    weights, intercepts = fit(rows, labels, kind=kind, scalings=scalings)
    return PenalisedModel(kind, weights, intercepts)


def _fit_values(
    features: csr_matrix, values: FloatArray, *, kind: str, scalings: Sequence[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    del kind
    found = [(scaling, fit_ridge(scaled(features, scaling), values)) for scaling in scalings]
    scaling, best = min(found, key=lambda one: one[1].error)
    return (best.weights * scaling)[None], np.array([best.intercept])


def _fit_classes(
    features: csr_matrix, labels: np.ndarray, *, kind: str, scalings: Sequence[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    fit: Any = OUTCOMES[kind].shallow.linear
    tried = [scale * scaling for scaling in scalings for scale in SCALES]
    compared = min(MOST_COMPARED, MOST_CELLS // as_columns(labels).shape[1])
    order = np.random.default_rng(0).permutation(len(labels))[:compared]
    if len(order) < 2 * FOLDS:
        tried = tried[-1:]
    losses = np.zeros(len(tried))
    left = np.arange(len(tried)) if len(tried) > 1 else np.empty(0, dtype=np.int64)
    for fold in range(FOLDS):
        held_out = np.arange(len(order)) % FOLDS == fold
        for number in left.tolist():
            if fold == 0 and _is_past_the_best(losses, number):
                losses[number] = np.inf
                continue
            sized = scaled(features, tried[number])
            weights, intercepts = fit(sized[order[~held_out]], labels[order[~held_out]])
            linear = np.asarray(sized[order[held_out]] @ weights.T) + intercepts
            answers = OUTCOMES[kind].answers(linear, Labels())
            losses[number] += log_loss(answers, labels[order[held_out]])
        left = left[np.argsort(losses[left], kind="stable")[:FINALISTS]]
    best = tried[int(left[0])] if len(left) else tried[-1]
    weights, intercepts = fit(scaled(features, best), labels)
    return weights * best, intercepts


def _is_past_the_best(losses: FloatArray, number: int) -> bool:
    """Return whether the loss rose at the last scale, so that larger ones are worse still."""
    return number % len(SCALES) >= 2 and bool(losses[number - 1] >= losses[number - 2])


def scaled(features: csr_matrix, scaling: FloatArray) -> csr_matrix:
    """Return features times one factor for each column."""
    return csr_matrix(features @ diags_array(scaling))


def log_loss(answers: FloatArray, labels: np.ndarray) -> float:
    """Return the mean surprise, in nats, at the labels of each class.

    Examples
    --------
    >>> round(log_loss(np.array([0.5, 0.5]), np.array([0, 1])), 4)
    0.6931
    """
    said, truth = as_columns(answers), as_columns(labels) > 0
    return float(-np.log(np.maximum(np.where(truth, said, 1 - said), SMALLEST)).mean())


@dataclass(frozen=True)
class Ridge:
    """A ridge regression with the penalty of the least leave-one-out error.

    Attributes
    ----------
    weights, intercept
        Weights and intercept of the linear score. Shape (F,).
    penalty
        The chosen penalty, one of `RIDGE_PENALTIES`.
    error
        Mean squared error on rows that were left out one at a time.
    """

    weights: FloatArray
    intercept: float
    penalty: float
    error: float


def fit_ridge(features: csr_matrix, values: FloatArray) -> Ridge:
    """Fit a ridge regression on sparse features.

    As `sklearn.linear_model.RidgeCV` without folds, but one eigendecomposition serves all
    penalties.

    Parameters
    ----------
    features
        Shape (B, F).
    values
        Shape (B,).

    Examples
    --------
    >>> found = fit_ridge(csr_matrix([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 5.0]))
    >>> round(float(found.weights[0]), 2), round(found.intercept, 2)
    (2.0, 1.0)
    """
    mean, middle = np.asarray(features.mean(axis=0)).ravel(), float(values.mean())
    if len(values) < 2:
        return Ridge(np.zeros(len(mean)), middle, float(RIDGE_PENALTIES[0]), np.inf)
    sizes, directions = _directions(features, mean)
    known = directions.T @ (features.T @ (values - middle))
    errors = np.zeros(len(RIDGE_PENALTIES))
    for start in range(0, len(values), BLOCK):
        rows = features[start : start + BLOCK] @ directions - mean @ directions
        truth = values[start : start + BLOCK]
        for number, penalty in enumerate(RIDGE_PENALTIES):
            said = middle + rows @ (known / (sizes + penalty))
            leverage = 1 / len(values) + np.square(rows) @ (1 / (sizes + penalty))
            errors[number] += np.square((truth - said) / np.maximum(1 - leverage, 1e-9)).sum()
    best = int(errors.argmin())
    weights = directions @ (known / (sizes + RIDGE_PENALTIES[best]))
    return Ridge(
        weights,
        middle - float(mean @ weights),
        float(RIDGE_PENALTIES[best]),
        float(errors[best] / len(values)),
    )


def _directions(features: csr_matrix, mean: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the principal directions of centred features with the sums of squares along them."""
    from scipy.linalg import eigh  # slow to load

    rows, columns = features.shape  # type: ignore[reportGeneralTypeIssues]
    if columns <= rows:
        products = (features.T @ features).toarray() - rows * np.outer(mean, mean)
        sizes, directions = eigh(products, overwrite_a=True, driver="evd")
        return np.maximum(sizes, 0), directions
    along = np.asarray(features @ mean)
    products = (features @ features.T).toarray() - along[:, None] - along[None] + mean @ mean
    sizes, of_rows = eigh(products, overwrite_a=True, driver="evd")
    kept = sizes > 1e-10 * sizes[-1]
    sizes, of_rows = sizes[kept], of_rows[:, kept]
    projected = features.T @ of_rows - np.outer(mean, of_rows.sum(axis=0))
    return sizes, projected / np.sqrt(sizes)
