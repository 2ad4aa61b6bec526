"""The same scores for weighted rows, for many sets of weights at once; what intervals are made of.

A weight says how often a row counts. Each function takes the data once, does the sorting, and
yields a `Statistic`: weights of shape (S, R) → name of a score → S values.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from peftide.metrics.binary import NAN
from peftide.metrics.categorical import CLASS_SCORES
from peftide.metrics.checks import FloatValues, IntValues
from peftide.metrics.multilabel import MICRO_SCORES

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
    truth = (values[:, 0] > 0).astype(np.float64)
    ranking, decisions = weighted_ranking(truth, answers), _decisions(truth, answers >= threshold)
    squared = (truth - answers) ** 2
    in_range = bool(((answers >= 0) & (answers <= 1)).all())

    def scores(weights: FloatValues) -> dict[Name, FloatValues]:
        table = decisions(weights)
        named = ranking(weights) | _decision_scores(table) | _binary_shares(table)
        if in_range:
            named["brier"] = _ratio(weights @ squared, weights.sum(axis=1))
        return {(name,): score for name, score in named.items()}

    return scores


def _decisions(
    truth: FloatValues, predicted: NDArray[np.bool_]
) -> Callable[[FloatValues], tuple[FloatValues, ...]]:
    """Return weights → weight of true positives, false positives, false and true negatives."""
    cells = np.stack(
        [predicted * truth, predicted * (1 - truth), ~predicted * truth, ~predicted * (1 - truth)],
        axis=1,
    )
    return lambda weights: tuple((weights @ cells).T)


def _decision_scores(
    table: tuple[FloatValues, ...],
) -> dict[str, FloatValues]:
    """Return f1, precision, recall and specificity, undefined ones as in `binary_metrics`."""
    tp, fp, fn, tn = table
    none_found = np.where(fn > 0, 0.0, NAN)
    return {
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
        "precision": np.where(tp + fp > 0, _ratio(tp, tp + fp), none_found),
        "recall": _ratio(tp, tp + fn),
        "specificity": _ratio(tn, tn + fp),
    }


def _binary_shares(
    table: tuple[FloatValues, ...],
) -> dict[str, FloatValues]:
    tp, fp, fn, tn = table
    whole = tp + fp + fn + tn
    spread = np.sqrt((tp + fn) * (tn + fp)) * np.sqrt((tp + fp) * (tn + fn))
    all_agree = np.where((tp + fn) * (tn + fp) > 0, 0.0, NAN)
    return {
        "accuracy": _ratio(tp + tn, whole),
        "prevalence": _ratio(tp + fn, whole),
        "mcc": np.where(spread > 0, _ratio(tp * tn - fp * fn, spread), all_agree),
    }


def weighted_ranking(
    truth: FloatValues, scores: FloatValues
) -> Callable[[FloatValues], dict[str, FloatValues]]:
    """Yield weights → average_precision and auroc; NaN where only one label has weight.

    Rows are sorted once. Of a positive with weight w let F and G be the weights of all positives
    and negatives that score at least as high, and H those of negatives that score higher. With P
    and N the weights of all positives and negatives, average precision is Σ w · F / (F + G) / P
    and AUROC 1 − Σ w · (G + H) / 2 / (P · N), both sums over the positives.

    Parameters
    ----------
    truth
        0 or 1. Shape (R,).
    scores
        Any number that grows with the probability of 1. Shape (R,).
    """
    positives, negatives = (_falling(scores, truth > 0), _falling(scores, truth <= 0))
    found, above = -scores[positives], -scores[negatives]
    # of each positive: how many positives and negatives score at least as high, and higher
    places = [np.searchsorted(found, found, side="right"), np.searchsorted(above, found, "right")]
    higher = np.searchsorted(above, found, side="left")
    has_ties = bool((higher != places[1]).any())

    def ranking(weights: FloatValues) -> dict[str, FloatValues]:
        gained = weights.take(positives, axis=1)
        passed = _running_sums(gained)
        wrong = _running_sums(weights.take(negatives, axis=1))
        beside = wrong.take(places[1], axis=1)
        at_least = passed.take(places[0], axis=1)
        precision = _ratio(at_least, at_least + beside, if_empty=0.0)
        if has_ties:
            beside = (beside + wrong.take(higher, axis=1)) / 2
        both = passed[:, -1] * wrong[:, -1]
        area = both - np.einsum("sr,sr->s", gained, beside)
        summed = np.einsum("sr,sr->s", gained, precision)
        return {
            "average_precision": np.where(both > 0, _ratio(summed, passed[:, -1]), NAN),
            "auroc": _ratio(area, both),
        }

    return ranking


def _falling(scores: FloatValues, rows: NDArray[np.bool_]) -> IntValues:
    """Return these rows from the highest score to the lowest."""
    chosen = np.flatnonzero(rows)
    return chosen[np.argsort(-scores[chosen], kind="stable")]


def _running_sums(weights: FloatValues) -> FloatValues:
    """Return the sums of the first 0, 1, 2, … weights. Shape (S, R + 1)."""
    sums = np.zeros((weights.shape[0], weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


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
    truth, predicted = (values > 0).astype(np.float64), answers.argmax(axis=1)
    right = truth[np.arange(len(truth)), predicted]
    of_class = [
        partial(_class_scores, weighted_ranking(truth[:, k], answers[:, k]))
        for k in range(truth.shape[1])
    ]
    tables = [_decisions(truth[:, k], predicted == k) for k in range(truth.shape[1])]
    mcc = _weighted_mcc(np.where(right > 0, predicted, truth.argmax(axis=1)), predicted)

    def scores(weights: FloatValues) -> dict[Name, FloatValues]:
        classes = [of(weights, table) for of, table in zip(of_class, tables, strict=True)]
        named = _by_class(class_names, classes)
        named["accuracy",] = _ratio(weights @ right, weights.sum(axis=1))
        named["mcc",] = mcc(weights)
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
    truth, predicted = (values > 0).astype(np.float64), answers >= threshold
    rankings = [weighted_ranking(truth[:, k], answers[:, k]) for k in range(truth.shape[1])]
    tables = [_decisions(truth[:, k], predicted[:, k]) for k in range(truth.shape[1])]
    all_cells = weighted_ranking(truth.ravel(), answers.ravel())
    exact = (truth == predicted).all(axis=1).astype(np.float64)

    def scores(weights: FloatValues) -> dict[Name, FloatValues]:
        decisions = [table(weights) for table in tables]
        classes = [
            ranking(weights) | _decision_scores(table)
            for ranking, table in zip(rankings, decisions, strict=True)
        ]
        named = _by_class(class_names, classes)
        micro = _decision_scores(tuple(np.sum(decisions, axis=0)))
        named |= {(f"micro_{score}",): micro[score] for score in MICRO_SCORES}
        # one set of weights at a time, since each weight stands K times in memory
        ranked = [all_cells(np.repeat(one, truth.shape[1])[None]) for one in weights]
        named["micro_average_precision",] = np.concatenate(
            [one["average_precision"] for one in ranked]
        )
        named["exact_match",] = _ratio(weights @ exact, weights.sum(axis=1))
        return named

    return scores


def _class_scores(
    ranking: Callable[[FloatValues], dict[str, FloatValues]],
    weights: FloatValues,
    decisions: Callable[[FloatValues], tuple[FloatValues, ...]],
) -> dict[str, FloatValues]:
    return ranking(weights) | _decision_scores(decisions(weights))


def _by_class(
    class_names: tuple[str, ...], classes: list[dict[str, FloatValues]]
) -> dict[Name, FloatValues]:
    """Return the scores of each class by their whole name, and their macro means."""
    named: dict[Name, FloatValues] = {
        ("per_class", name, score): found
        for name, of_it in zip(class_names, classes, strict=True)
        for score, found in of_it.items()
    }
    return named | _macro_means(classes)


def _macro_means(classes: list[dict[str, FloatValues]]) -> dict[Name, FloatValues]:
    """Return the mean of each score over the classes that can be ranked; NaN without any."""
    ranked = np.isfinite([of_class["auroc"] for of_class in classes])
    counts = ranked.sum(axis=0)
    means: dict[Name, FloatValues] = {}
    for score in CLASS_SCORES:
        values = np.where(ranked, [of_class[score] for of_class in classes], 0.0)
        means[f"macro_{score}",] = _ratio(values.sum(axis=0), counts.astype(np.float64))
    return means


def _weighted_mcc(truth: IntValues, predicted: IntValues) -> Callable[[FloatValues], FloatValues]:
    """Return weights → multi-class MCC (see `peftide.metrics.binary.mcc`)."""
    classes = np.unique(np.concatenate([truth, predicted]))
    is_true, is_predicted = truth[:, None] == classes, predicted[:, None] == classes
    right = truth == predicted

    def mcc(weights: FloatValues) -> FloatValues:
        whole = weights.sum(axis=1)
        true, guessed = weights @ is_true, weights @ is_predicted
        varies_true = whole**2 - (true**2).sum(axis=1)
        spread = np.sqrt(varies_true) * np.sqrt(whole**2 - (guessed**2).sum(axis=1))
        agreement = (weights @ right) * whole - (true * guessed).sum(axis=1)
        all_agree = np.where(varies_true > 0, 0.0, NAN)
        return np.where(spread > 0, _ratio(agreement, spread), all_agree)

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
        squared = _ratio(weights @ error**2, whole)
        mean = _ratio(weights @ centred, whole)
        variance = _ratio(weights @ centred**2, whole) - mean**2
        return {
            ("spearman",): _correlation(weights, *(ranks(weights) for ranks in ranks_of)),
            ("pearson",): _correlation(weights, centred[None], (answers - answers.mean())[None]),
            ("mae",): _ratio(weights @ np.abs(error), whole),
            ("rmse",): np.sqrt(squared),
            ("r2",): np.where(variance > 0, 1 - _ratio(squared, variance), NAN),
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
    return np.where(varies, _ratio(shared, spreads[0] * spreads[1]), NAN)


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


def _ratio(part: FloatValues, whole: FloatValues, *, if_empty: float = NAN) -> FloatValues:
    """Return part / whole, and `if_empty` where there is nothing to share."""
    return np.divide(part, whole, out=np.full(part.shape, if_empty), where=whole != 0)
