from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peftide.errors import InputError
from peftide.screening.hits import Hits
from peftide.screening.screen import Pairs
from peftide.screening.shards import count_all, has_shard, own_pairs, shard_path

PLACES = np.arange(5)


def write(path: Path, note: str, rows: int = 2) -> None:
    names = np.array(list("abcde"), dtype=object)
    table = pd.DataFrame({"a": range(rows), "b": range(rows), "score": np.zeros(rows)})
    Hits(names, names, lambda scores: scores, note=note).write([table], path)


def test_whole_shards_are_known_by_their_screen(tmp_path: Path) -> None:
    assert not has_shard(tmp_path, 0, key="k")
    write(shard_path(tmp_path, 0), "k")
    assert has_shard(tmp_path, 0, key="k")
    with pytest.raises(InputError, match="hits-00000.parquet: this shard is from another screen"):
        has_shard(tmp_path, 0, key="other")
    shard_path(tmp_path, 0).write_bytes(b"PAR1")
    assert not has_shard(tmp_path, 0, key="k")
    write(shard_path(tmp_path, 1), "", rows=4)  # a file that is no shard
    assert not has_shard(tmp_path, 1, key="k")


def test_hits_of_some_shards_are_counted(tmp_path: Path) -> None:
    for number, rows in enumerate((1, 2, 4)):
        write(shard_path(tmp_path, number), "k", rows=rows)
    assert [count_all(tmp_path, range(3)[part]) for part in (slice(None), slice(1, 2))] == [7, 2]


@pytest.mark.parametrize("keeps_best", [False, True])
def test_shards_cover_all_pairs(keeps_best: bool) -> None:
    """All 5 · 4 / 2 pairs once above a threshold; for best partners each row meets all."""
    pairs = Pairs(PLACES, PLACES, is_square=True)
    owns = [slice(0, 2), slice(2, 4), slice(4, 5)]
    counts = [own_pairs(pairs, own, keeps_best=keeps_best).count() for own in owns]
    assert counts == ([10, 10, 5] if keeps_best else [4 + 3, 2 + 1, 0])
    assert pairs.count() == 10
    rectangle = own_pairs(Pairs(PLACES, PLACES[:3], is_square=False), owns[0], keeps_best=False)
    assert (rectangle.count(), rectangle.count(1), list(rectangle.proteins)) == (6, 3, [0, 1])
