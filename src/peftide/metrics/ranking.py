"""Labels and scores of classes → average precision and AUROC under any weights of the rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from peftide.metrics.checks import FloatValues, IntValues

NAN = float("nan")
SCORES = ("average_precision", "auroc")

Summed = Callable[[FloatValues], FloatValues]
"""Weights (R, S) → sums of the weights of chosen rows (B, S)."""


def weighted_ranking(
    truth: NDArray, scores: FloatValues
) -> Callable[[FloatValues], dict[str, FloatValues]]:
    """Yield weights (R, S) → average_precision and auroc of each class (K, S).

    Let the distinct scores of a class's positives be the steps of its ranking. For a step whose
    positives weigh w, let F and G be the weights of all positives and negatives that score at least
    as high, and H the weight of negatives that score higher. With P and N the weights of all
    positives and negatives, average precision is Σ w · F / (F + G) / P and AUROC is
    1 − Σ w · (G + H) / 2 / (P · N), both sums over the steps. They are NaN where only one label has
    weight.

    Parameters
    ----------
    truth
        Above 0 for positives. Shape (R, K).
    scores
        Any number that grows with the probability of the class. Shape (R, K).
    """
    columns = zip((truth > 0).T, scores.T, strict=True)
    rows = np.arange(len(truth))
    return _scored([_ranked(positive, score, rows) for positive, score in columns], len(truth))


def weighted_micro_ranking(
    truth: NDArray, scores: FloatValues
) -> Callable[[FloatValues], dict[str, FloatValues]]:
    """Yield weights (R, S) → average_precision and auroc of all R · K decisions together (1, S)."""
    rows = np.repeat(np.arange(len(truth)), truth.shape[1])
    return _scored([_ranked(truth.ravel() > 0, scores.ravel(), rows)], len(truth))


def sums_of(chosen: NDArray) -> Summed:
    """Yield weights → summed weight of the chosen rows of each class; `chosen` has shape (R, K).

    Examples
    --------
    >>> sums_of(np.array([[True, False], [True, True]]))(np.array([[1.0], [2.0]])).tolist()
    [[3.0], [2.0]]
    """
    rows, classes = np.nonzero(chosen)
    return _sums(classes, rows, shape=(chosen.shape[1], chosen.shape[0]))


@dataclass(frozen=True)
class _Ranked:
    """One class: step and row of its positives, of passing negatives, and of tied negatives.

    A negative passes at the first step that does not score higher; one that passes at no step is
    left out. A tied negative has the score of its step.
    """

    steps: int
    cells: int
    positives: tuple[IntValues, IntValues]
    passing: tuple[IntValues, IntValues]
    tied: tuple[IntValues, IntValues]


def _ranked(positive: NDArray[np.bool_], scores: FloatValues, rows: IntValues) -> _Ranked:
    falling = np.unique(-scores[positive])
    step = np.searchsorted(falling, -scores)
    passing = np.flatnonzero(~positive & (step < len(falling)))
    tied = passing[falling[step[passing]] == -scores[passing]]
    return _Ranked(
        len(falling), len(rows), *((step[at], rows[at]) for at in (positive, passing, tied))
    )


def _scored(
    classes: Sequence[_Ranked], rows: int
) -> Callable[[FloatValues], dict[str, FloatValues]]:
    """Return weights → scores of each class; the sums of all classes are one sparse product."""
    steps = np.array([one.steps for one in classes])
    first = np.cumsum(steps) - steps

    def stacked(kind: str) -> Summed:
        cells = [getattr(one, kind) for one in classes]
        places = [step + start for (step, _), start in zip(cells, first, strict=True)]
        groups, chosen = np.concatenate(places), np.concatenate([row for _, row in cells])
        return _sums(groups, chosen, shape=(int(steps.sum()), rows))

    positives, passing, tied = map(stacked, ("positives", "passing", "tied"))
    known = np.flatnonzero(steps)  # classes with a positive
    starts, per_row = first[known], classes[0].cells // rows
    has_ties = any(len(one.tied[0]) for one in classes)

    def scores(weights: FloatValues) -> dict[str, FloatValues]:
        found = {name: np.full((len(classes), weights.shape[1]), NAN) for name in SCORES}
        if not len(known):
            return found
        gained = positives(weights)
        passed, wrong = (_running(sums, starts) for sums in (gained, passing(weights)))
        precise = np.add.reduceat(gained * ratio(passed, passed + wrong, if_empty=0.0), starts)
        beside = wrong - tied(weights) / 2 if has_ties else wrong
        lost = np.add.reduceat(gained * beside, starts)
        right = np.add.reduceat(gained, starts)
        both = right * (per_row * weights.sum(axis=0) - right)
        found["average_precision"][known] = np.where(both > 0, ratio(precise, right), NAN)
        found["auroc"][known] = ratio(both - lost, both)
        return found

    return scores


def _running(sums: FloatValues, starts: IntValues) -> FloatValues:
    """Return the running sums of each class's steps, which begin at `starts`. Shape (B, S)."""
    running = np.cumsum(sums, axis=0)
    before = np.where(starts[:, None] > 0, running[starts - 1], 0.0)
    return running - np.repeat(before, np.diff(starts, append=len(sums)), axis=0)


def _sums(groups: IntValues, rows: IntValues, *, shape: tuple[int, int]) -> Summed:
    """Return weights (R, S) → summed weight of the rows of each group."""
    matrix = csr_matrix((np.ones(len(rows)), (groups, rows)), shape=shape)
    return lambda weights: matrix @ weights


def ratio(part: FloatValues, whole: FloatValues, *, if_empty: float = NAN) -> FloatValues:
    """Return part / whole, and `if_empty` where there is nothing to share.

    Examples
    --------
    >>> ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0]), if_empty=0.0).tolist()
    [0.5, 0.0]
    """
    return np.divide(part, whole, out=np.full(part.shape, if_empty), where=whole != 0)
