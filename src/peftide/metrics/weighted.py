"""The same scores for weighted rows, for many sets of weights at once; what intervals are made of.

A weight says how often a row counts. Each function takes the data once, does the sorting, and
yields a `Statistic`: weights of shape (S, R) → name of a score → S values.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from peftide.metrics.binary import NAN
from peftide.metrics.categorical import CLASS_SCORES
from peftide.metrics.checks import FloatValues, IntValues
from peftide.metrics.multilabel import MICRO_SCORES
from peftide.metrics.ranking import ratio, sums_of, weighted_micro_ranking, weighted_ranking

Name = tuple[str, ...]
"""A score: ("auroc",), or ("per_class", "C2", "auroc")."""
Statistic = Callable[[FloatValues], dict[Name, FloatValues]]


def weighted_binary(
    values: NDArray[Any], answers: FloatValues, _class_names: Any, *, threshold: float
) -> Statistic:
    """Yield the scores of `binary_metrics` for weighted rows.

    Parameters
    ----------
    values
        0 or 1. Shape (R, 1).
    answers
        Probability of 1. Shape (R,).
    threshold
        1 is predicted from here on.

    Examples
    --------
    >>> scores = weighted_binary(np.array([[0], [1], [1]]), np.array([0.1, 0.2, 0.9]), (),
    ...     threshold=0.5)
    >>> scores(np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 3.0]]))[("recall",)].tolist()
    [0.5, 0.75]
    """
    truth = values > 0
    ranking = weighted_ranking(truth, answers[:, None])
    decisions = _decisions(truth, answers[:, None] >= threshold)
    squared = (truth[:, 0] - answers) ** 2
    in_range = bool(((answers >= 0) & (answers <= 1)).all())

    def scores(weights: FloatValues) -> dict[Name, FloatValues]:
        by_row = np.ascontiguousarray(weights.T)
        table = decisions(by_row)
        named = ranking(by_row) | _decision_scores(table) | _binary_shares(table)
        found: dict[Name, FloatValues] = {(name,): score[0] for name, score in named.items()}
        if in_range:
            found["brier",] = ratio(weights @ squared, weights.sum(axis=1))
        return found

    return scores


Table = tuple[FloatValues, FloatValues, FloatValues, FloatValues]
"""Weight of true positives, false positives, false and true negatives. Shape (K, S)."""


def _decisions(truth: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Callable[..., Table]:
    """Return weights (R, S) → weights of the four kinds of decisions; arrays of shape (R, K)."""
    carried, chosen, right = sums_of(truth), sums_of(predicted), sums_of(truth & predicted)

    def table(weights: FloatValues) -> Table:
        true, said, found = carried(weights), chosen(weights), right(weights)
        return found, said - found, true - found, weights.sum(axis=0) - true - said + found

    return table


def _decision_scores(table: Table) -> dict[str, FloatValues]:
    """Return f1, precision, recall and specificity, undefined ones as in `binary_metrics`."""
    tp, fp, fn, tn = table
    none_found = np.where(fn > 0, 0.0, NAN)
    return {
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
        "precision": np.where(tp + fp > 0, ratio(tp, tp + fp), none_found),
        "recall": ratio(tp, tp + fn),
        "specificity": ratio(tn, tn + fp),
    }


def _binary_shares(table: Table) -> dict[str, FloatValues]:
    tp, fp, fn, tn = table
    whole = tp + fp + fn + tn
    spread = np.sqrt((tp + fn) * (tn + fp)) * np.sqrt((tp + fp) * (tn + fn))
    all_agree = np.where((tp + fn) * (tn + fp) > 0, 0.0, NAN)
    return {
        "accuracy": ratio(tp + tn, whole),
        "prevalence": ratio(tp + fn, whole),
        "mcc": np.where(spread > 0, ratio(tp * tn - fp * fn, spread), all_agree),
    }


def weighted_categorical(
    values: NDArray[Any], answers: FloatValues, class_names: tuple[str, ...], *, threshold: float
) -> Statistic:
    """Yield the scores of `categorical_metrics` for weighted rows.

    A class enters the macro means of those sets of weights in which it has positives and negatives.

    Parameters
    ----------
    values
        Above 0 where the row belongs to the class. Shape (R, K).
    answers
        Probability of each class. Shape (R, K).
    class_names
        K names.
    threshold
        Means nothing here.
    """
    del threshold
    truth, predicted = values > 0, answers.argmax(axis=1)
    right = truth[np.arange(len(truth)), predicted]
    chosen = np.eye(truth.shape[1], dtype=bool)[predicted]
    by_class = _by_class(truth, answers, chosen, class_names=class_names)
    mcc = _weighted_mcc(np.where(right, predicted, truth.argmax(axis=1)), predicted)
    hits = right.astype(np.float64)

    def scores(weights: FloatValues) -> dict[Name, FloatValues]:
        by_row = np.ascontiguousarray(weights.T)
        named, _ = by_class(by_row)
        named["accuracy",] = ratio(weights @ hits, weights.sum(axis=1))
        named["mcc",] = mcc(by_row)
        return named

    return scores


def weighted_multilabel(
    values: NDArray[Any], answers: FloatValues, class_names: tuple[str, ...], *, threshold: float
) -> Statistic:
    """Yield the scores of `multilabel_metrics` for weighted rows.

    A class enters the macro means of those sets of weights in which it has positives and negatives.

    Parameters
    ----------
    values
        Above 0 where the row carries the class. Shape (R, K).
    answers
        Probability of each class. Shape (R, K).
    class_names
        K names.
    threshold
        A class is predicted from here on.
    """
    truth, predicted = values > 0, answers >= threshold
    by_class = _by_class(truth, answers, predicted, class_names=class_names)
    all_cells = weighted_micro_ranking(truth, answers)
    exact = (truth == predicted).all(axis=1).astype(np.float64)

    def scores(weights: FloatValues) -> dict[Name, FloatValues]:
        by_row = np.ascontiguousarray(weights.T)
        named, (tp, fp, fn, tn) = by_class(by_row)
        whole = (tp.sum(axis=0), fp.sum(axis=0), fn.sum(axis=0), tn.sum(axis=0))
        micro = _decision_scores(whole)
        named |= {(f"micro_{score}",): micro[score] for score in MICRO_SCORES}
        named["micro_average_precision",] = all_cells(by_row)["average_precision"][0]
        named["exact_match",] = ratio(weights @ exact, weights.sum(axis=1))
        return named

    return scores


def _by_class(
    truth: NDArray[np.bool_],
    answers: FloatValues,
    predicted: NDArray[np.bool_],
    *,
    class_names: tuple[str, ...],
) -> Callable[[FloatValues], tuple[dict[Name, FloatValues], Table]]:
    """Return weights (R, S) → the scores of each class, their macro means, and the decisions."""
    ranking, decisions = weighted_ranking(truth, answers), _decisions(truth, predicted)

    def scores(weights: FloatValues) -> tuple[dict[Name, FloatValues], Table]:
        table = decisions(weights)
        found = ranking(weights) | _decision_scores(table)
        named: dict[Name, FloatValues] = {
            ("per_class", name, score): values[k]
            for k, name in enumerate(class_names)
            for score, values in found.items()
        }
        return named | _macro_means(found), table

    return scores


def _macro_means(classes: dict[str, FloatValues]) -> dict[Name, FloatValues]:
    """Return the mean of each score over the classes that can be ranked; NaN without any."""
    ranked = np.isfinite(classes["auroc"])
    counts = ranked.sum(axis=0).astype(np.float64)
    means: dict[Name, FloatValues] = {}
    for score in CLASS_SCORES:
        values = np.where(ranked, classes[score], 0.0)
        means[f"macro_{score}",] = ratio(values.sum(axis=0), counts)
    return means


def _weighted_mcc(truth: IntValues, predicted: IntValues) -> Callable[[FloatValues], FloatValues]:
    """Return weights (R, S) → multi-class MCC (see `peftide.metrics.binary.mcc`). Shape (S,)."""
    classes = np.unique(np.concatenate([truth, predicted]))
    carried, chosen = sums_of(truth[:, None] == classes), sums_of(predicted[:, None] == classes)
    right = sums_of((truth == predicted)[:, None])

    def mcc(weights: FloatValues) -> FloatValues:
        whole = weights.sum(axis=0)
        true, guessed = carried(weights), chosen(weights)
        varies_true = whole**2 - (true**2).sum(axis=0)
        spread = np.sqrt(varies_true) * np.sqrt(whole**2 - (guessed**2).sum(axis=0))
        agreement = right(weights)[0] * whole - (true * guessed).sum(axis=0)
        all_agree = np.where(varies_true > 0, 0.0, NAN)
        return np.where(spread > 0, ratio(agreement, spread), all_agree)

    return mcc


def weighted_continuous(
    values: NDArray[Any], answers: FloatValues, _class_names: Any, *, threshold: float
) -> Statistic:
    """Yield the scores of `continuous_metrics` for weighted rows.

    Parameters
    ----------
    values
        Measured numbers. Shape (R, 1).
    answers
        Predicted numbers. Shape (R,).
    threshold
        Means nothing here.
    """
    del threshold
    truth = values[:, 0].astype(np.float64)
    error = truth - answers
    ranks_of = [_weighted_ranks(truth), _weighted_ranks(answers)]
    centred = truth - truth.mean()

    def scores(weights: FloatValues) -> dict[Name, FloatValues]:
        whole = weights.sum(axis=1)
        squared = ratio(weights @ error**2, whole)
        mean = ratio(weights @ centred, whole)
        variance = ratio(weights @ centred**2, whole) - mean**2
        return {
            ("spearman",): _correlation(weights, *(ranks(weights) for ranks in ranks_of)),
            ("pearson",): _correlation(weights, centred[None], (answers - answers.mean())[None]),
            ("mae",): ratio(weights @ np.abs(error), whole),
            ("rmse",): np.sqrt(squared),
            ("r2",): np.where(variance > 0, 1 - ratio(squared, variance), NAN),
        }

    return scores


def _weighted_ranks(values: FloatValues) -> Callable[[FloatValues], FloatValues]:
    """Return weights → mean rank of each row where every row stands as often as it weighs."""
    from scipy.stats import rankdata  # slow to load

    group = rankdata(values, method="dense") - 1
    order = np.argsort(values, kind="stable")
    first_of_ties = np.flatnonzero(np.diff(values[order], prepend=np.nan) != 0)

    def ranks(weights: FloatValues) -> FloatValues:
        tied = np.add.reduceat(weights[:, order], first_of_ties, axis=1)
        middle = np.cumsum(tied, axis=1) - tied / 2
        return middle[:, group]

    return ranks


def _correlation(weights: FloatValues, first: FloatValues, second: FloatValues) -> FloatValues:
    """Return the weighted Pearson correlation of each set of weights, NaN if a side is constant."""
    whole = weights.sum(axis=1, keepdims=True)
    first, second = (
        side - (weights * side).sum(axis=1, keepdims=True) / whole for side in (first, second)
    )
    spreads = [np.sqrt((weights * side**2).sum(axis=1)) for side in (first, second)]
    # constant numbers keep a rounding error around their mean
    varies = (spreads[0] > 1e-9 * np.abs(first).max()) & (spreads[1] > 1e-9 * np.abs(second).max())
    shared = (weights * first * second).sum(axis=1)
    return np.where(varies, ratio(shared, spreads[0] * spreads[1]), NAN)


def repeated(metrics: Callable[[IntValues], dict[str, Any]]) -> Statistic:
    """Yield any scores for rows that weigh whole numbers, by repeating the rows; slow.

    Parameters
    ----------
    metrics
        Numbers of the rows to take → scores, maybe with a `per_class` entry.

    Examples
    --------
    >>> values = np.array([1.0, 3.0])
    >>> mean = repeated(lambda rows: {"mean": float(values[rows].mean())})
    >>> mean(np.array([[1.0, 1.0], [3.0, 1.0]]))[("mean",)].tolist()
    [2.0, 1.5]
    """

    def scores(weights: FloatValues) -> dict[Name, FloatValues]:
        rows = np.arange(weights.shape[1])
        found = [_flat(metrics(np.repeat(rows, one.astype(np.int64)))) for one in weights]
        return {name: np.array([one.get(name, NAN) for one in found]) for name in found[0]}

    return scores


def _flat(scores: dict[str, Any], path: Name = ()) -> dict[Name, float]:
    """Return scores inside scores by their whole name."""
    flat: dict[Name, float] = {}
    for name, value in scores.items():
        below = _flat(value, (*path, name)) if isinstance(value, dict) else {(*path, name): value}
        flat |= below
    return flat
