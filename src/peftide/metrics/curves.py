"""Labels and scores → the points of their precision-recall and ROC curves."""

import numpy as np
from jaxtyping import Float

from peftide.types import FloatArray

CURVES = ("precision_recall", "roc")


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
        y, x, _ = precision_recall_curve(labels, scores)
        y[-1] = y[-2]  # scikit-learn ends at precision 1, which flatters equal scores
    keep = thinned(len(x), most)
    return x[keep], y[keep]


def thinned(count: int, most: int) -> np.ndarray:
    """Return at most `most` indices out of `count`, evenly spread, first and last among them.

    Examples
    --------
    >>> thinned(3, 400).tolist(), thinned(9, 3).tolist()
    ([0, 1, 2], [0, 4, 8])
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))
