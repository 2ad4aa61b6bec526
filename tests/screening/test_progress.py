from pathlib import Path

import numpy as np
import torch

from peftide.screening.best import BestPartners
from peftide.screening.progress import Done, ScreenFolder, as_hits, key_of


def test_a_saved_state_is_found_again_under_its_key(tmp_path: Path) -> None:
    folder, best = ScreenFolder(tmp_path / "s"), BestPartners.empty(3, 2)
    best.add(slice(0, 3), slice(0, 4), torch.randn(3, 4))
    folder.save(Done("key", proteins=2), best)
    assert folder.done("key") == Done("key", proteins=2)
    torch.testing.assert_close(folder.load().scores, best.scores)
    assert folder.done("other") == Done("other")
    assert not folder.path.exists()


def test_shards_are_counted_by_the_record(tmp_path: Path) -> None:
    folder = ScreenFolder(tmp_path)
    for number in range(2):
        folder.write_shard(number, as_hits(number, np.array([5]), torch.tensor([0.5])))
    assert [table["a"].tolist() for table in folder.shards(1)] == [[0]]


def test_keys_of_equal_screens_are_equal() -> None:
    assert key_of(["a", None, 0.5]) == key_of(["a", None, 0.5]) != key_of(["a", None, 0.6])
