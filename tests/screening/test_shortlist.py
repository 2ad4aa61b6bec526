"""Pairs of a short list, scored by another scorer."""

from typing import Any

import numpy as np
import pandas as pd
import torch

from peftide.screening.screen import Pairs, Wanted
from peftide.screening.shortlist import recall, rescored


class Scorer:
    """Scores from a matrix."""

    def __init__(self, matrix: torch.Tensor) -> None:
        self.matrix = matrix

    def scores(self, ones: Any, partners: Any) -> torch.Tensor:
        return self.matrix[ones][:, partners].clone()


def square(count: int) -> tuple[Scorer, Pairs]:
    found = torch.randn(count, count, generator=torch.Generator().manual_seed(1))
    places = np.arange(count)
    return Scorer((found + found.T) / 2), Pairs(places, places, is_square=True)


def all_of(count: int) -> pd.DataFrame:
    a, b = np.triu_indices(count, 1)
    return pd.DataFrame({"a": b, "b": a})


def test_a_list_of_all_pairs_leaves_the_best_of_all() -> None:
    scorer, pairs = square(12)
    found = rescored([all_of(12)], scorer, pairs, wanted=Wanted(3))
    alone = scorer.matrix.clone().fill_diagonal_(-torch.inf).numpy()
    for one in range(12):
        group = found[found["a"] == one]
        assert group["b"].tolist() == np.argsort(-alone[one])[:3].tolist()
        np.testing.assert_allclose(group["score"], np.sort(alone[one])[::-1][:3])
    assert recall(found, scorer, pairs, wanted=Wanted(3)) == 1.0


def test_a_pair_on_one_list_counts_for_both_proteins() -> None:
    scorer, pairs = square(6)
    listed = pd.DataFrame({"a": [4, 4, 1], "b": [1, 2, 4]})
    found = rescored([listed], scorer, pairs, wanted=Wanted(5))
    assert set(zip(found["a"], found["b"], strict=True)) == {(1, 4), (4, 1), (2, 4), (4, 2)}


def test_above_a_threshold_each_pair_comes_once() -> None:
    scorer, pairs = square(12)
    found = rescored([all_of(12)], scorer, pairs, wanted=Wanted(None, 0.3))
    a, b = np.triu_indices(12, 1)
    high = scorer.matrix.numpy()[a, b] >= 0.3
    assert set(zip(found["a"], found["b"], strict=True)) == set(zip(a[high], b[high], strict=True))
    assert len(found) == high.sum()
    assert recall(found, scorer, pairs, wanted=Wanted(None, 0.3)) == 1.0


def test_recall_is_the_share_of_wanted_pairs() -> None:
    matrix = torch.tensor([[9.0, 1.0, 8.0, 2.0], [1.0, 3.0, 2.0, 4.0]])
    pairs = Pairs(np.arange(2), np.arange(4), is_square=False, keeps_selves=True)
    hits = pd.DataFrame({"a": [0, 0, 1, 1], "b": [0, 3, 3, 1], "score": 0.0})
    assert recall(hits, Scorer(matrix), pairs, wanted=Wanted(2)) == 3 / 4
