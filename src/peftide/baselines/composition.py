"""What residue composition and length alone can predict: a linear model on 21 numbers a protein."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.preprocessing import StandardScaler

from peftide.baselines.letters import OTHER, letter_codes
from peftide.errors import InputError
from peftide.types import FloatArray, IntArray

Kind = Literal["binary", "categorical", "multilabel", "continuous"]
ClassWeight = Literal["balanced"] | None
LinearModel = LogisticRegression | RidgeCV | DummyClassifier | DummyRegressor

MAX_ITERATIONS = 2_000
RIDGE_PENALTIES = np.logspace(-3, 5, 17)


@dataclass(frozen=True)
class CompositionBaseline:
    """A fitted composition baseline; made by `fit_composition`.

    Attributes
    ----------
    kind
        What it predicts.
    n_classes
        Columns of a prediction of classes; 2 for a binary label, 0 for a value.
    proteins_per_example
        1 or 2.
    scaler
        Mean and standard deviation of the features over the distinct proteins of the train part.
    model
        Linear model; a constant one when train holds one class or one row only. A tuple of them,
        one per class, where a row may have any number of classes.
    """

    kind: Kind
    n_classes: int
    proteins_per_example: int
    scaler: StandardScaler
    model: LinearModel | tuple[LinearModel, ...]

    def predict(self, sequences: Sequence[str], members: IntArray) -> FloatArray:
        """Yield one prediction per example.

        Parameters
        ----------
        sequences
            Distinct proteins; each is encoded once.
        members
            Indices into `sequences`. Shape (B, A).

        Returns
        -------
        numpy.ndarray
            Probability of label 1 (B,), of each class (B, K) with zeros for classes that train
            does not hold, or the value (B,). The order of a pair's proteins changes nothing.

        Raises
        ------
        InputError
            If a sequence is empty, `members` does not fit, or names one protein where the
            baseline was fitted on two (or the reverse).

        Examples
        --------
        >>> sequences, members = ["AAAA", "GGGG", "AAAG", "GGGA"], np.arange(4)[:, None]
        >>> labels = np.array([1, 0, 1, 0])
        >>> baseline = fit_composition(sequences, members, labels, kind="binary")
        >>> baseline.predict(["AAAAAG"], np.array([[0]])) > 0.5
        array([ True])
        """
        _check_members(members, len(sequences))
        if members.shape[1] != self.proteins_per_example:
            raise InputError(
                f"{members.shape[1]} protein(s) per example",
                expected=f"{self.proteins_per_example}, as in the train part",
            )
        standardised = self.scaler.transform(composition_features(sequences))
        features = pair_features(np.asarray(standardised), members)
        if isinstance(self.model, tuple):
            answers = [_probabilities(model, features, 2)[:, 1] for model in self.model]
            return np.stack(answers, axis=1)
        if isinstance(self.model, RidgeCV | DummyRegressor):
            return np.asarray(self.model.predict(features))
        probabilities = _probabilities(self.model, features, self.n_classes)
        return probabilities[:, 1] if self.kind == "binary" else probabilities


def _probabilities(model: Any, features: FloatArray, n_classes: int) -> FloatArray:
    """Return the probability of each class; 0 for those that train does not hold."""
    probabilities = np.zeros((len(features), n_classes))
    probabilities[:, np.asarray(model.classes_)] = model.predict_proba(features)
    return probabilities


def fit_composition(
    sequences: Sequence[str],
    members: IntArray,
    targets: np.ndarray,
    *,
    kind: Kind,
    class_weight: ClassWeight = None,
) -> CompositionBaseline:
    """Fit labels on composition and length.

    Parameters
    ----------
    sequences
        Proteins; those that `members` does not name have no influence.
    members
        Indices into `sequences`, one or two per example. Shape (B, A).
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
    CompositionBaseline
        With `predict(sequences, members)`.

    Raises
    ------
    InputError
        If a sequence is empty, or members and targets do not fit together.

    Examples
    --------
    >>> pairs, values = np.array([[0, 1], [1, 2], [2, 0]]), np.array([0.0, 1.0, 2.0])
    >>> baseline = fit_composition(["AC", "DDE", "GGGG"], pairs, values, kind="continuous")
    >>> baseline.predict(["AC", "DDE"], np.array([[0, 1], [1, 0]])).shape
    (2,)
    """
    _check_members(members, len(sequences))
    labels = _checked_targets(targets, len(members), kind)
    train, index = np.unique(members, return_inverse=True)
    proteins = composition_features([str(sequences[protein]) for protein in train])
    scaler = StandardScaler().fit(proteins)
    standardised = np.asarray(scaler.transform(proteins))
    features = pair_features(standardised, index.reshape(members.shape))
    if kind == "continuous":
        n_classes, model = 0, _fit_values(features, labels)
    elif kind == "multilabel":
        n_classes = labels.shape[1]
        model = tuple(
            _fit_classes(features, _no_and_yes(column), class_weight) for column in labels.T
        )
    else:
        membership = labels if kind == "categorical" else _no_and_yes(labels)
        n_classes, model = membership.shape[1], _fit_classes(features, membership, class_weight)
    return CompositionBaseline(
        kind=kind,
        n_classes=n_classes,
        proteins_per_example=members.shape[1],
        scaler=scaler,
        model=model,
    )


def composition_features(sequences: Sequence[str]) -> FloatArray:
    """Yield 20 residue frequencies and the natural logarithm of the length of each protein.

    Other letters count towards the length only.

    Parameters
    ----------
    sequences
        One-letter residues. Length P.

    Returns
    -------
    numpy.ndarray
        Shape (P, 21), residues in the order of `letters.STANDARD_RESIDUES`.

    Raises
    ------
    InputError
        If a sequence is empty.

    Examples
    --------
    >>> composition_features(["AACX"])[0, [0, 1, 20]].round(3)
    array([0.5  , 0.25 , 1.386])
    """
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    if not lengths.all():
        raise InputError("an empty sequence", where=f"protein {lengths.argmin()} (from 0)")
    counts = np.zeros((len(sequences), OTHER + 1))
    for row, sequence in zip(counts, sequences, strict=True):
        row[:] = np.bincount(letter_codes(sequence), minlength=OTHER + 1)
    return np.column_stack([counts[:, :OTHER] / lengths[:, None], np.log(lengths)])


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


def _no_and_yes(labels: IntArray) -> IntArray:
    """Return 0/1 labels as memberships of two classes."""
    return np.stack([1 - labels, labels], axis=1)


def _fit_classes(
    features: FloatArray, membership: IntArray, class_weight: ClassWeight
) -> LogisticRegression | DummyClassifier:
    """Fit class probabilities; each row enters once per class that it carries."""
    rows, classes = np.nonzero(membership)
    weights = 1 / membership.sum(axis=1)[rows]
    if np.unique(classes).size == 1:
        return DummyClassifier(strategy="prior").fit(features[rows], classes)
    model = LogisticRegression(class_weight=class_weight, max_iter=MAX_ITERATIONS)
    return model.fit(features[rows], classes, sample_weight=weights)


def _fit_values(features: FloatArray, values: FloatArray) -> RidgeCV | DummyRegressor:
    """Fit values; leaving one out needs at least two."""
    model = RidgeCV(alphas=RIDGE_PENALTIES) if len(values) > 1 else DummyRegressor()
    return model.fit(features, values)


def _check_members(members: IntArray, proteins: int) -> None:
    """Raise unless each row names one or two of the proteins."""
    if members.ndim != 2 or members.shape[1] not in (1, 2) or not len(members):
        raise InputError(
            f"members of shape {members.shape}", expected="(B, 1) or (B, 2) with at least one row"
        )
    if members.min() < 0 or members.max() >= proteins:
        raise InputError(
            f"members from {members.min()} to {members.max()}",
            expected=f"indices 0 to {proteins - 1}, one for each of {proteins} sequences",
        )


def _checked_targets(targets: np.ndarray, rows: int, kind: Kind) -> np.ndarray:
    """Return targets as int64 (classes) or float64 (values) after checking shape and content."""
    axes = 2 if kind in ("categorical", "multilabel") else 1
    if targets.ndim != axes or len(targets) != rows:
        raise InputError(
            f"targets of shape {targets.shape} for {rows} examples",
            expected="(B, K) class memberships" if axes == 2 else "(B,), one per example",
        )
    if kind == "continuous":
        if not np.isfinite(targets).all():
            raise InputError("a target that is NaN or infinite", expected="finite values")
        return targets.astype(np.float64)
    if not np.isin(targets, (0, 1)).all():
        raise InputError(f"{kind} targets other than 0 and 1", expected="0 or 1 only")
    if kind == "categorical" and not targets.any(axis=1).all():
        raise InputError("an example without any class", expected="at least one per example")
    return targets.astype(np.int64)
