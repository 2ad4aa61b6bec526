"""Scores of a prediction that picks one of K classes, for examples that may carry several."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from peftide.errors import InputError
from peftide.metrics.binary import NAN, decision_scores, mcc, ranking_scores
from peftide.metrics.checks import (
    FloatValues,
    IntValues,
    finite_array,
    require_same_shape,
    zero_one_array,
)

BoolValues = NDArray[np.bool_]
CLASS_SCORES = ("average_precision", "auroc", "f1", "precision", "recall", "specificity")


def categorical_metrics(
    membership: ArrayLike, probabilities: ArrayLike, class_names: Sequence[str]
) -> dict[str, Any]:
    """Yield the scores of a one-of-K prediction.

    The predicted class is the one with the highest probability (of equal ones, the first).

    Parameters
    ----------
    membership
        1 where the example carries the class; a row without any is of a class that has no column,
        so no prediction is right for it. Shape (B, K).
    probabilities
        Probability of each class. Shape (B, K).
    class_names
        K distinct names.

    Returns
    -------
    dict
        `accuracy`: share of examples that have the predicted class. `mcc`:
        multi-class MCC; the true class of an example is the predicted one if it carries that,
        else its first, else one that is never predicted; NaN when all true classes are one.
        `per_class`: for each class `n`
        (examples that carry it) and its one-versus-rest average_precision, auroc, f1, precision,
        recall and specificity, undefined ones as in `binary_metrics`. `macro_<score>`: mean over
        the classes with both positives and negatives here, their number in `macro_classes`;
        NaN when there is none.

    Raises
    ------
    InputError
        If arrays or names do not fit together, hold NaN, or no row carries a class.

    Examples
    --------
    >>> scores = categorical_metrics([[1, 0], [0, 1], [1, 1]], [[0.9, 0.1]] * 3, ["C1", "C2"])
    >>> round(scores["accuracy"], 3), scores["per_class"]["C2"]["recall"]
    (0.667, 0.0)
    """
    truth, scores = class_arrays(membership, probabilities, class_names)
    if not truth.any():
        raise InputError(
            f"none of {len(truth):,} rows carries a class", expected="at least one that does"
        )
    predicted = scores.argmax(axis=1)
    right = truth[np.arange(len(truth)), predicted] == 1
    own = np.where(truth.any(axis=1), truth.argmax(axis=1), truth.shape[1])
    chosen = np.eye(truth.shape[1], dtype=bool)[predicted]
    per_class = class_scores(truth, scores, chosen, class_names=class_names)
    return {
        "accuracy": float(right.mean()),
        **macro_scores(per_class, len(truth)),
        "mcc": mcc(np.where(right, predicted, own), predicted),
        "per_class": per_class,
    }


def class_scores(
    truth: IntValues, scores: FloatValues, predicted: BoolValues, *, class_names: Sequence[str]
) -> dict[str, dict[str, float | int]]:
    """Yield the scores of each class against all others; all arrays of shape (B, K)."""
    return {
        name: {
            "n": int(truth[:, k].sum()),
            **ranking_scores(truth[:, k], scores[:, k]),
            **decision_scores(truth[:, k], predicted[:, k]),
        }
        for k, name in enumerate(class_names)
    }


def macro_scores(per_class: dict[str, dict[str, float | int]], n: int) -> dict[str, float | int]:
    """Yield the mean of each score over the classes that have positives and negatives."""
    entering = [scores for scores in per_class.values() if 0 < scores["n"] < n]
    means: dict[str, float | int] = {
        f"macro_{name}": float(np.mean([scores[name] for scores in entering])) if entering else NAN
        for name in CLASS_SCORES
    }
    return {**means, "macro_classes": len(entering)}


def class_arrays(
    membership: ArrayLike, probabilities: ArrayLike, class_names: Sequence[str]
) -> tuple[IntValues, FloatValues]:
    """Yield membership as int64 and probabilities as float64, both of shape (B, K).

    Raises
    ------
    InputError
        If arrays or names do not fit together or hold NaN, or a membership is not 0 or 1.
    """
    truth = zero_one_array(membership, "class memberships", axes="B K")
    scores = finite_array(probabilities, "probabilities", axes="B K")
    require_same_shape(truth, scores, ("class memberships", "probabilities"))
    if len(set(class_names)) != truth.shape[1]:
        raise InputError(
            f"{len(set(class_names))} distinct class names for {truth.shape[1]} columns",
            expected="one name per column",
        )
    return truth, scores
