"""A few numbers per protein, and labels → a linear model of them, fitted once, kept as numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.preprocessing import StandardScaler

from peftide.baselines.checks import (
    Kind,
    as_columns,
    check_as_fitted,
    check_members,
    checked_targets,
    from_columns,
)
from peftide.types import FloatArray, IntArray

ClassWeight = Literal["balanced"] | None
MAX_ITERATIONS = 2_000
RIDGE_PENALTIES = np.logspace(-3, 5, 17)
BLOCK = 32_768  # rows whose paired features are in memory at a time

LINKS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "binary": expit,
    "multilabel": expit,
    "categorical": lambda scores: softmax(scores, axis=1),
    "continuous": lambda scores: scores,
}


@dataclass(frozen=True)
class LinearModel:
    """A linear model on standardised features of proteins; made by `fit_linear`.

    Attributes
    ----------
    kind
        What it predicts.
    proteins_per_example
        1 or 2.
    mean, deviation
        Of the features over the distinct proteins of the train part. Shape (D,).
    weights, intercepts
        One row per class or value; of yes and no, that of yes. An intercept of ±infinity answers
        the same whatever the features: a class that train does not have, or nothing else.
        Shapes (K, F) and (K,).
    """

    kind: Kind
    proteins_per_example: int
    mean: FloatArray
    deviation: FloatArray
    weights: FloatArray
    intercepts: FloatArray

    def predict(self, features: FloatArray, members: IntArray) -> FloatArray:
        """Yield one prediction per example.

        Parameters
        ----------
        features
            Of each protein. Shape (P, D).
        members
            Indices into `features`. Shape (B, A).

        Returns
        -------
        numpy.ndarray
            Probability of label 1 (B,), of each class (B, K) with zeros for classes that train
            does not hold, or the value (B,). The order of a pair's proteins changes nothing.

        Raises
        ------
        InputError
            If `members` does not fit, or names one protein where the model was fitted on two (or
            the reverse).

        Examples
        --------
        >>> rows, features = np.arange(4)[:, None], np.array([[0.0], [0.1], [0.9], [1.0]])
        >>> model = fit_linear(features, rows, np.array([0, 0, 1, 1]), kind="binary")
        >>> model.predict(np.array([[2.0]]), np.array([[0]])) > 0.5
        array([ True])
        """
        check_members(members, len(features))
        check_as_fitted(members, self.proteins_per_example)
        standardised = (features - self.mean) / self.deviation
        scores = [
            pair_features(standardised, members[start : start + BLOCK]) @ self.weights.T
            for start in range(0, len(members), BLOCK)
        ]
        linked = LINKS[self.kind](np.concatenate(scores).astype(np.float64) + self.intercepts)
        return from_columns(linked, self.kind)

    def arrays(self) -> dict[str, np.ndarray]:
        """Yield all numbers by name."""
        names = ("mean", "deviation", "weights", "intercepts")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, np.ndarray], *, kind: Kind, proteins_per_example: int
    ) -> "LinearModel":
        """Yield the model that `arrays` came from."""
        names = ("mean", "deviation", "weights", "intercepts")
        return cls(kind, proteins_per_example, *(arrays[name] for name in names))


def fit_linear(
    features: FloatArray,
    members: IntArray,
    targets: np.ndarray,
    *,
    kind: Kind,
    class_weight: ClassWeight = None,
) -> LinearModel:
    """Fit labels on features of proteins.

    Parameters
    ----------
    features
        Of each protein; those that `members` does not name have no influence. Shape (P, D).
    members
        Indices into `features`, one or two per example. Shape (B, A).
    targets
        0/1 labels (B,), class memberships 0/1 (B, K), or values (B,). A row with n classes
        enters once per class, with weight 1/n; of "multilabel" memberships n may be 0, and every
        class is asked on its own.
    kind
        "binary" and "categorical" fit a logistic regression, "multilabel" one per class,
        "continuous" a ridge regression whose penalty is chosen by leave-one-out error.
    class_weight
        "balanced" gives every class the same total weight.

    Returns
    -------
    LinearModel
        With `predict(features, members)`.

    Raises
    ------
    InputError
        If members and targets do not fit together.

    Examples
    --------
    >>> pairs, values = np.array([[0, 1], [1, 2], [2, 0]]), np.array([0.0, 1.0, 2.0])
    >>> model = fit_linear(np.eye(3), pairs, values, kind="continuous")
    >>> model.predict(np.eye(3), np.array([[0, 1], [1, 0]])).shape
    (2,)
    """
    check_members(members, len(features))
    labels = checked_targets(targets, len(members), kind)
    used, index = np.unique(members, return_inverse=True)
    scaler = StandardScaler().fit(features[used])
    standardised = np.asarray(scaler.transform(features[used]))
    paired = pair_features(standardised, index.reshape(members.shape))
    if kind == "continuous":
        weights, intercepts = _fit_values(paired, labels)
    elif kind == "categorical":
        weights, intercepts = _fit_classes(paired, labels, class_weight)
    else:
        columns = [_fit_yes_or_no(paired, y, class_weight) for y in as_columns(labels, kind).T]
        weights = np.stack([found for found, _ in columns])
        intercepts = np.array([found for _, found in columns])
    return LinearModel(
        kind=kind,
        proteins_per_example=members.shape[1],
        mean=np.asarray(scaler.mean_).astype(features.dtype),
        deviation=np.asarray(scaler.scale_).astype(features.dtype),
        weights=weights,
        intercepts=intercepts,
    )


def pair_features(features: FloatArray, members: IntArray) -> FloatArray:
    """Yield the features of each example: the protein's own, or [mean, |a − b|, a ∘ b] of a pair.

    All three parts are the same for (a, b) and (b, a), bit for bit.

    Parameters
    ----------
    features
        Standardised features of each protein. Shape (P, D).
    members
        Indices into `features`. Shape (B, A).

    Returns
    -------
    numpy.ndarray
        Shape (B, D) for A = 1, (B, 3 D) for A = 2.

    Examples
    --------
    >>> pair_features(np.array([[1.0], [3.0]]), np.array([[0, 1]]))
    array([[2., 2., 3.]])
    """
    if members.shape[1] == 1:
        return features[members[:, 0]]
    first, second = features[members[:, 0]], features[members[:, 1]]
    return np.hstack([(first + second) / 2, np.abs(first - second), first * second])


def _fit_yes_or_no(
    features: FloatArray, labels: IntArray, class_weight: ClassWeight
) -> tuple[FloatArray, float]:
    """Return weights (F,) and intercept; one label only is answered whatever the features."""
    if np.unique(labels).size == 1:
        return np.zeros(features.shape[1]), np.inf if labels[0] else -np.inf
    model = _logistic(class_weight).fit(features, labels)
    return np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0])


def _fit_classes(
    features: FloatArray, membership: IntArray, class_weight: ClassWeight
) -> tuple[FloatArray, FloatArray]:
    """Return weights (K, F) and intercepts (K,); each row enters once per class it carries."""
    rows, classes = np.nonzero(membership)
    present = np.unique(classes)
    weights = np.zeros((membership.shape[1], features.shape[1]))
    intercepts = np.full(membership.shape[1], -np.inf)
    if len(present) == 1:
        intercepts[present] = 0
        return weights, intercepts
    model: Any = _logistic(class_weight)
    model.fit(features[rows], classes, sample_weight=1 / membership.sum(axis=1)[rows])
    coefficients, offsets = model.coef_, model.intercept_
    if len(present) == 2:  # of two classes there is only the row of the second
        coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
        offsets = np.concatenate([np.zeros_like(offsets), offsets])
    weights[present], intercepts[present] = coefficients, offsets
    return weights, intercepts


def _logistic(class_weight: ClassWeight) -> LogisticRegression:
    return LogisticRegression(class_weight=class_weight, max_iter=MAX_ITERATIONS)


def _fit_values(features: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weights (1, F) and intercept (1,); leaving one out needs at least two rows."""
    if len(values) == 1:
        return np.zeros((1, features.shape[1])), values
    model = RidgeCV(alphas=RIDGE_PENALTIES).fit(features, values)
    return np.asarray(model.coef_)[None], np.array([model.intercept_])
