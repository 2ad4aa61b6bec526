"""Keys of stored rows, and what is read of a folder."""

from pathlib import Path

import numpy as np
import pytest
import torch

from peftide.engine.store import EmbeddingPlan, Progress, embedding_key, open_rows


def plan(key: str = "k") -> EmbeddingPlan:
    one = np.ones(3, dtype=np.int64)
    return EmbeddingPlan(2, 9, tokens=one, rows=one, row_type=torch.float16, key=key)


def test_the_key_names_sequences_order_and_settings():
    key = embedding_key(["MK", "VL"], "mean", 1022)
    assert key == embedding_key(["MK", "VL"], "mean", 1022)
    others = [
        embedding_key(["VL", "MK"], "mean", 1022),
        embedding_key(["MKVL"], "mean", 1022),
        embedding_key(["MKV", "L"], "mean", 1022),
        embedding_key(["MK", "VL"], "mean", None),
        embedding_key(["MK", "VL"], "cls", 1022),
    ]
    assert len({key, *others}) == 6


@pytest.mark.parametrize("damage", ["cut", "other type", "none"])
def test_rows_are_read_again_if_they_are_whole(tmp_path: Path, damage: str) -> None:
    rows = open_rows(tmp_path, plan(), 3)
    rows[:] = 7
    Progress(tmp_path, plan()).finish(3, rows, index=None)
    path = tmp_path / "rows.npy"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-2])
    elif damage == "other type":
        np.save(path, np.full((3, 2), 7, dtype=np.int16))
    found = open_rows(tmp_path, plan(), 3)
    assert (Progress(tmp_path, plan()).sequences_done == 3) == (damage == "none")
    assert (found == 7).all() == (damage == "none")


def test_progress_under_another_key_counts_for_nothing(tmp_path: Path) -> None:
    rows = open_rows(tmp_path, plan(), 3)
    Progress(tmp_path, plan()).save(2, rows)
    assert Progress(tmp_path, plan()).sequences_done == 2
    assert Progress(tmp_path, plan("other")).sequences_done == 0


def test_without_a_folder_rows_are_in_memory() -> None:
    rows = open_rows(None, plan(), 3)
    assert rows.shape == (3, 2)
    assert not isinstance(rows, np.memmap)
