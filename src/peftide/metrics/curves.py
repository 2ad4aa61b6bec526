"""Labels and scores → the points of their precision-recall and ROC curves.

Reference: Davis and Goadrich 2006, doi 10.1145/1143844.1143874 (between two points, precision is no
straight line over recall).
"""

import numpy as np
from jaxtyping import Float

from peftide.types import FloatArray, IntArray

CURVES = ("precision_recall", "roc")
WIDEST = 0.02
"""Difference in recall above which a curve gets points in between."""


def curve_points(
    curve: str, labels: Float[np.ndarray, " R"], scores: Float[np.ndarray, " R"], *, most: int
) -> tuple[FloatArray, FloatArray]:
    """Return at most `most` points of a curve, evenly spread over its thresholds.

    Parameters
    ----------
    curve
        "precision_recall" (recall, precision) or "roc" (false positive rate, recall).
    labels
        0 or 1, with both among them. Shape (R,).
    scores
        Higher for positives. Shape (R,).

    Examples
    --------
    >>> x, y = curve_points("roc", np.array([0.0, 1, 0]), np.array([0.1, 0.9, 0.3]), most=9)
    >>> x.tolist(), y.tolist()
    ([0.0, 0.0, 1.0], [0.0, 1.0, 1.0])
    """
    from sklearn.metrics import precision_recall_curve, roc_curve  # slow to load

    if curve == "roc":
        x, y, _ = roc_curve(labels, scores)
    else:
        y, x, thresholds = precision_recall_curve(labels, scores)
        y[-1] = y[-2]  # scikit-learn ends at precision 1, which flatters equal scores
        below = np.searchsorted(np.sort(scores), thresholds)
        x, y = _between(x, y, np.append(len(scores) - below, 0))
    keep = thinned(len(x), most)
    return x[keep], y[keep]


def _between(
    recall: FloatArray, precision: FloatArray, rows: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return a curve with points between those far apart, as if equal scores came in random order.

    Both the positives and the rows above a threshold then grow evenly. Recall falls along the
    curve; `rows` are those above each threshold. Shape (N,) each, and (M,) for the result.
    """
    steps = np.ceil((recall[:-1] - recall[1:]) / WIDEST).astype(np.int64).clip(min=1)
    known = np.concatenate([[0], np.cumsum(steps)])
    places = np.interp(np.arange(known[-1] + 1), known, np.arange(len(recall)))
    found, above = (np.interp(places, np.arange(len(recall)), each) for each in (recall, rows))
    positives = precision[0] * rows[0] / recall[0]  # recall is 1 where it begins
    between = positives * found / np.maximum(above, 1e-9)
    between[known] = precision
    found[known] = recall
    return found, between


def thinned(count: int, most: int) -> np.ndarray:
    """Return at most `most` indices out of `count`, evenly spread, first and last among them.

    Examples
    --------
    >>> thinned(3, 400).tolist(), thinned(9, 3).tolist()
    ([0, 1, 2], [0, 4, 8])
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))
