from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from peftide.screening import screen as module
from peftide.screening.progress import ScreenFolder
from peftide.screening.screen import Pairs, Wanted, screen


@dataclass
class Scorer:
    """Scores from a matrix; it may be interrupted."""

    matrix: torch.Tensor
    calls_left: int = 10**9

    def scores(self, ones: Any, partners: Any) -> torch.Tensor:
        self.calls_left -= len(self.matrix[ones])
        if self.calls_left < 0:
            raise KeyboardInterrupt
        return self.matrix[ones][:, partners]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROTEINS_PER_BLOCK", 3)
    monkeypatch.setattr(module, "SECONDS_BETWEEN_SAVES", 0.0)


def matrix(count: int, others: int | None = None) -> torch.Tensor:
    found = torch.randn(count, others or count, generator=torch.Generator().manual_seed(1))
    return (found + found.T) / 2 if others is None else found


def kept(scorer: Scorer, pairs: Pairs, wanted: Wanted, folder: Path) -> pd.DataFrame:
    found = screen(scorer, pairs, wanted, folder=ScreenFolder(folder), key="k")
    return pd.concat(found).reset_index(drop=True)


def square(count: int, **more: Any) -> Pairs:
    return Pairs(np.arange(count), np.arange(count), is_square=True, **more)


def test_the_best_partners_of_all_pairs_inside_a_set(tmp_path: Path) -> None:
    scores = matrix(10)
    found = kept(Scorer(scores), square(10), Wanted(4), tmp_path)
    alone = scores.clone().fill_diagonal_(-torch.inf).numpy()
    for one in range(10):
        group = found[found["a"] == one]
        assert list(group["b"]) == np.argsort(-alone[one])[:4].tolist()
        np.testing.assert_allclose(group["score"], np.sort(alone[one])[::-1][:4], rtol=1e-6)


def test_the_best_partners_in_another_set(tmp_path: Path) -> None:
    scores = matrix(7, 5)
    pairs = Pairs(np.arange(7), np.arange(5), is_square=False, keeps_selves=True)
    found = kept(Scorer(scores), pairs, Wanted(2), tmp_path)
    assert (
        found.groupby("a")["b"].apply(list).tolist() == np.argsort(-scores.numpy())[:, :2].tolist()
    )


def test_each_unordered_pair_above_a_threshold_comes_once(tmp_path: Path) -> None:
    scores = matrix(10)
    found = kept(Scorer(scores), square(10), Wanted(None, 0.3), tmp_path)
    a, b = np.triu_indices(10, 1)
    expected = {(x, y) for x, y in zip(a, b, strict=True) if scores[x, y] >= 0.3}
    assert set(zip(found["a"], found["b"], strict=True)) == expected
    assert len(found) == len(expected)


def test_a_threshold_cuts_the_best_partners(tmp_path: Path) -> None:
    found = kept(Scorer(matrix(10)), square(10), Wanted(4, 0.5), tmp_path)
    assert min(found["score"]) >= 0.5
    assert len(found) < 40


def test_known_pairs_and_other_names_of_a_protein_are_left_out(tmp_path: Path) -> None:
    numbers = np.array([0, 1, 0, 2, 3])  # the third protein has the sequence of the first
    pairs = Pairs(numbers, numbers, is_square=True, skipped={1: np.array([3]), 3: np.array([1])})
    found = kept(Scorer(matrix(4)), pairs, Wanted(4), tmp_path)
    met = set(zip(found["a"], found["b"], strict=True))
    assert not {(0, 2), (2, 0), (1, 3), (3, 1), (0, 0)} & met
    assert len(met) == 5 * 4 - 4


@pytest.mark.parametrize("wanted", [Wanted(3), Wanted(None, 0.0)], ids=["best", "threshold"])
@pytest.mark.parametrize("calls", [1, 5, 11])
def test_an_interrupted_screen_ends_the_same(tmp_path: Path, wanted: Wanted, calls: int) -> None:
    scores, pairs = matrix(13), square(13)
    expected = kept(Scorer(scores), pairs, wanted, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        kept(Scorer(scores, calls), pairs, wanted, tmp_path / "parts")
    again = Scorer(scores)
    found = kept(again, pairs, wanted, tmp_path / "parts")
    pd.testing.assert_frame_equal(found, expected)
    assert 10**9 - again.calls_left <= 13 - calls // 3 * 3


def test_the_number_of_pairs_is_known() -> None:
    assert square(10).count() == 45
    assert square(10, keeps_selves=True).count() == 55
    assert Pairs(np.arange(3), np.arange(4), is_square=False).count() == 12
