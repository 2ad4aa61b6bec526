"""Scores of a prediction that says of each of K classes whether an example carries it."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from peftide.metrics.binary import decision_scores, ranking_scores
from peftide.metrics.categorical import class_arrays, class_scores, macro_scores

MICRO_SCORES = ("f1", "precision", "recall")


def multilabel_metrics(
    membership: ArrayLike,
    probabilities: ArrayLike,
    class_names: Sequence[str],
    *,
    threshold: float,
) -> dict[str, Any]:
    """Yield the scores of a prediction of sets of classes.

    Parameters
    ----------
    membership
        1 where the example carries the class; a row may carry none. Shape (B, K).
    probabilities
        Probability of each class. Shape (B, K).
    class_names
        K distinct names.
    threshold
        A class is predicted where its probability is at least this.

    Returns
    -------
    dict
        `micro_average_precision`, `micro_f1`, `micro_precision`, `micro_recall`: all B · K
        decisions taken together. `exact_match`: share of examples whose set is right as a whole.
        `per_class` and `macro_<score>` as in `categorical_metrics`.

    Raises
    ------
    InputError
        If arrays or names do not fit together, hold NaN, or a membership is not 0 or 1.

    Examples
    --------
    >>> truth, scores = [[1, 1], [0, 1], [0, 0]], [[0.9, 0.8], [0.1, 0.4], [0.2, 0.1]]
    >>> metrics = multilabel_metrics(truth, scores, ["GO:1", "GO:2"], threshold=0.5)
    >>> metrics["micro_f1"], round(metrics["exact_match"], 3), metrics["macro_average_precision"]
    (0.8, 0.667, 1.0)
    """
    truth, scores = class_arrays(membership, probabilities, class_names)
    predicted = scores >= threshold
    per_class = class_scores(truth, scores, predicted, class_names=class_names)
    decisions = decision_scores(truth.ravel(), predicted.ravel())
    return {
        "exact_match": float((truth == predicted).all(axis=1).mean()),
        "micro_average_precision": ranking_scores(truth.ravel(), scores.ravel())[
            "average_precision"
        ],
        **{f"micro_{name}": decisions[name] for name in MICRO_SCORES},
        **macro_scores(per_class, len(truth)),
        "per_class": per_class,
    }
