"""Scores of a yes/no label: ranking (no threshold) and decisions (at a threshold)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from peftide.metrics.checks import (
    FloatValues,
    IntValues,
    finite_array,
    require_same_shape,
    zero_one_array,
)
from peftide.metrics.reliability import calibration_scores

NAN = float("nan")
NO_CUT = 0.5


def binary_metrics(
    labels: ArrayLike, probabilities: ArrayLike, *, threshold: float
) -> dict[str, float]:
    """Yield the scores of a yes/no prediction.

    Parameters
    ----------
    labels
        0/1 or boolean. Shape (B,).
    probabilities
        Probability of label 1, or any score that grows with it. Shape (B,).
    threshold
        An example is predicted 1 when its probability is at least this.

    Returns
    -------
    dict
        average_precision, auroc, accuracy, f1, mcc, precision, recall, specificity (recall of
        label 0), ece and brier (see `calibration_scores`; NaN for scores that are no probabilities)
        and prevalence (share of label 1). Undefined is NaN: average_precision, auroc
        and mcc when only one label occurs; recall without positives; specificity without
        negatives; precision and f1 when there is no positive and none is predicted. Where
        positives exist but none is predicted, precision is 0; mcc is 0 when both labels occur
        and all predictions agree.

    Raises
    ------
    InputError
        If the arrays are empty, of different length, or hold NaN, or a label is not 0 or 1.

    Examples
    --------
    >>> scores = binary_metrics([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.8], threshold=0.5)
    >>> scores["auroc"], scores["accuracy"], scores["mcc"]
    (0.75, 0.5, 0.0)
    """
    from sklearn.metrics import accuracy_score  # slow to load

    truth, scores = _checked(labels, probabilities)
    predicted = scores >= threshold
    return {
        **ranking_scores(truth, scores),
        "accuracy": float(accuracy_score(truth, predicted)),
        "mcc": mcc(truth, predicted),
        **decision_scores(truth, predicted),
        **calibration_scores(truth.astype(np.float64), scores),
        "prevalence": float(truth.mean()),
    }


def best_threshold(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Yield the threshold with the highest Matthews correlation coefficient (MCC).

    Every cut between two neighbouring distinct scores is tried. A cut that lets `p` of the `P`
    positives and `q` of the `N` negatives pass has
    MCC = (p/P − q/N) · √(P·N / ((p + q)(P + N − p − q))).

    Parameters
    ----------
    labels
        0/1 or boolean. Shape (B,).
    probabilities
        Probability of label 1. Shape (B,).

    Returns
    -------
    float
        The midpoint of the two scores around the best cut (of equally good cuts, the highest);
        0.5 when all scores are equal or only one label occurs.

    Raises
    ------
    InputError
        If the arrays are empty, of different length, or hold NaN, or a label is not 0 or 1.

    Examples
    --------
    >>> best_threshold([0, 0, 1, 1], [0.125, 0.25, 0.75, 0.875])
    0.5
    """
    from sklearn.metrics import roc_curve

    truth, scores = _checked(labels, probabilities)
    if not _has_both(truth) or np.ptp(scores) == 0:
        return NO_CUT
    false_share, true_share, cuts = roc_curve(truth, scores, drop_intermediate=False)
    positives, negatives = truth.sum(), (1 - truth).sum()
    # the first point passes nothing, the last one everything: neither is a cut
    passing = (true_share * positives + false_share * negatives)[1:-1]
    balance = np.sqrt(positives * negatives / (passing * (truth.size - passing)))
    best = 1 + int(np.argmax((true_share - false_share)[1:-1] * balance))
    middle = cuts[best + 1] / 2 + cuts[best] / 2
    # between adjacent floats the midpoint is one of the two; only the upper one still cuts
    return float(middle if middle > cuts[best + 1] else cuts[best])


def ranking_scores(truth: IntValues, scores: FloatValues) -> dict[str, float]:
    """Yield average_precision and auroc; NaN when only one label occurs.

    Examples
    --------
    >>> ranking_scores(np.array([0, 1, 1]), np.array([0.1, 0.2, 0.3]))
    {'average_precision': 1.0, 'auroc': 1.0}
    """
    if not _has_both(truth):
        return {"average_precision": NAN, "auroc": NAN}
    order = np.argsort(-scores, kind="stable")
    # of all rows with the same score, only the last one is a step of the curves
    steps = np.flatnonzero(np.diff(scores[order], append=np.nan) != 0)
    found, passed = np.cumsum(truth[order])[steps], steps + 1
    gained, wrong = np.diff(found, prepend=0), np.diff(passed - found, prepend=0)
    positives, negatives = found[-1], truth.size - found[-1]
    area = (wrong * (found - gained / 2)).sum() / positives / negatives
    return {
        "average_precision": float((gained * (found / passed)).sum() / positives),
        "auroc": float(area),
    }


def decision_scores(truth: IntValues, predicted: NDArray[np.bool_]) -> dict[str, float]:
    """Yield f1, precision, recall and specificity, undefined ones as in `binary_metrics`.

    Examples
    --------
    >>> decision_scores(np.array([0, 1, 1]), np.array([False, False, True]))["recall"]
    0.5
    """
    positive = truth > 0
    hits, predictions = int((positive & predicted).sum()), int(predicted.sum())
    positives, rows = int(positive.sum()), truth.size
    missed, wrong = positives - hits, predictions - hits
    return {
        "f1": _share(2 * hits, 2 * hits + missed + wrong),
        "precision": _share(hits, predictions, if_empty=0.0 if missed else NAN),
        "recall": _share(hits, positives),
        "specificity": _share(rows - positives - wrong, rows - positives),
    }


def _share(part: int, whole: int, *, if_empty: float = NAN) -> float:
    """Return part / whole, or `if_empty` when there is nothing to share."""
    return float(part / whole) if whole else if_empty


def mcc(truth: NDArray, predicted: NDArray) -> float:
    """Yield the Matthews correlation coefficient of two arrays of classes.

    NaN when the truth is all one class; 0 when only the predictions are.

    References
    ----------
    Gorodkin, J. Comput. Biol. Chem. 28, 367-374 (2004), doi 10.1016/j.compbiolchem.2004.09.006.

    Examples
    --------
    >>> mcc(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 2]))
    1.0
    """
    from sklearn.metrics import matthews_corrcoef

    if np.unique(truth).size < 2:
        return NAN
    return float(matthews_corrcoef(truth, predicted))


def _checked(labels: ArrayLike, probabilities: ArrayLike) -> tuple[IntValues, FloatValues]:
    """Return labels as int64 and probabilities as float64, both of shape (B,)."""
    truth = zero_one_array(labels, "labels", axes="B")
    scores = finite_array(probabilities, "probabilities", axes="B")
    require_same_shape(truth, scores, ("labels", "probabilities"))
    return truth, scores


def _has_both(truth: IntValues) -> bool:
    """Return whether both labels occur."""
    return bool(0 < truth.sum() < truth.size)
