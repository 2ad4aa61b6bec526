"""Features of proteins, and labels → a linear model, fitted once and stored as numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from peftide.baselines.checks import check_as_fitted, check_members, checked_targets
from peftide.outcomes import OUTCOMES, Labels
from peftide.types import FloatArray, IntArray

BLOCK = 32_768  # rows whose paired features are in memory at a time


@dataclass(frozen=True)
class LinearModel:
    """A linear model on standardised features of proteins; made by `fit_linear`.

    Attributes
    ----------
    kind
        Kind of outcome, a key of `OUTCOMES`.
    proteins_per_example
        1 or 2.
    mean, deviation
        Mean and deviation of the features over the distinct proteins of train. Shape (D,).
    weights, intercepts
        One row per class or value; one row for yes or no. An intercept of ±infinity gives the
        same answer for all features: the training set has no row, or only rows, of the class.
        Shapes (K, F) and (K,).
    """

    kind: str
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
            Features of each protein. Shape (P, D).
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
        linear = np.concatenate(scores).astype(np.float64) + self.intercepts
        return OUTCOMES[self.kind].answers(linear, Labels())

    def arrays(self) -> dict[str, np.ndarray]:
        """Yield all numbers by name."""
        names = ("mean", "deviation", "weights", "intercepts")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, np.ndarray], *, kind: str, proteins_per_example: int
    ) -> "LinearModel":
        """Yield the model that `arrays` came from."""
        names = ("mean", "deviation", "weights", "intercepts")
        return cls(kind, proteins_per_example, *(arrays[name] for name in names))


def fit_linear(
    features: FloatArray,
    members: IntArray,
    targets: np.ndarray,
    *,
    kind: str,
) -> LinearModel:
    """Fit labels on features of proteins.

    Parameters
    ----------
    features
        Features of each protein. Only proteins that `members` names have an influence.
        Shape (P, D).
    members
        Indices into `features`, one or two per example. Shape (B, A).
    targets
        0/1 labels (B,), class memberships 0/1 (B, K), or values (B,).
    kind
        A key of `OUTCOMES`; see `Shallow.linear` of each outcome for the regression.

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
    from sklearn.preprocessing import StandardScaler  # slow to load

    check_members(members, len(features))
    labels = checked_targets(targets, len(members), OUTCOMES[kind])
    used, index = np.unique(members, return_inverse=True)
    scaler = StandardScaler().fit(features[used])
    standardised = np.asarray(scaler.transform(features[used]))
    paired = pair_features(standardised, index.reshape(members.shape))
    weights, intercepts = OUTCOMES[kind].shallow.linear(paired, labels)
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
