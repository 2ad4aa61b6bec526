"""How a report draws and words the answers of an outcome: names of figures, numbers, phrases."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from peftide.metrics.binary import ranking_scores
from peftide.types import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The rules by which a report shows one kind of outcome.

    Truth and answers have shape (R,), or (R, K) if the outcome has classes.

    Attributes
    ----------
    figures
        Names in `peftide.report.curves.FIGURES`, in their order.
    sureness
        (truth, answers) → 1 where an answer is right, and its probability, each of shape (N,);
        None if there is no probability.
    sure_of
        The event that has this probability, in words.
    group_metric
        The metric that compares groups of rows.
    group_score
        (truth, answers) → this metric, and the score of guessing or None.
    decisions
        (truth, answers, class names, threshold=) → names of classes, true class and predicted class
        of each row; None if a row has no single true class.
    mistakes
        (truth, answers, threshold=) → size of each row's mistake, 0 where it is right; None if
        mistakes are not ranked.
    said
        (answer of one row, class names, threshold=) → the answer in words.
    in_brackets
        The number in brackets behind an answer, in words; empty if there is none.
    """

    figures: tuple[str, ...]
    group_metric: str
    group_score: Callable[[FloatArray, FloatArray], tuple[float, float | None]]
    sureness: Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]] | None = None
    sure_of: str = ""
    decisions: Callable[..., tuple[tuple[str, ...], IntArray, IntArray]] | None = None
    mistakes: Callable[..., FloatArray] | None = None
    said: Callable[..., str] | None = None
    in_brackets: str = ""


def average_precision(truth: FloatArray, answers: FloatArray) -> tuple[float, float]:
    """Return the average precision over all cells, and the share of positives.

    Examples
    --------
    >>> average_precision(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    (1.0, 0.5)
    """
    labels, scores = truth.ravel().astype(np.int64), answers.ravel().astype(np.float64)
    return ranking_scores(labels, scores)["average_precision"], float(truth.mean())
