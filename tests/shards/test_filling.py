from pathlib import Path

import numpy as np
import pytest

from peftide.errors import InputError, StorageError
from peftide.shards import filling
from peftide.shards.filling import Part, fill_shard, finish, read_part
from peftide.shards.folder import FINISHED, open_folder
from tests.conftest import random_sequences
from tests.shards.conftest import Begin, Letters

SEQUENCES = [*random_sequences(30, lengths=(2, 9)), "AACC", "AACC"]


def test_each_distinct_sequence_is_encoded_once(begin: Begin, tmp_path: Path) -> None:
    folder, encoder = begin(SEQUENCES, size=8), Letters()
    for number in range(folder.record.shards):
        fill_shard(number, folder, encoder, texts=tmp_path / "texts")
    assert sorted(encoder.seen) == sorted(set(SEQUENCES))
    found = {name: vector.tolist() for name, vector in folder.items()}
    expected = {f"p{k}": [s.count(c) for c in "ACD"] for k, s in enumerate(SEQUENCES)}
    assert found == expected


def test_a_shard_that_is_there_is_not_made_again(begin: Begin, tmp_path: Path) -> None:
    folder, encoder = begin(SEQUENCES, size=8), Letters()
    fill_shard(1, folder, encoder, texts=tmp_path / "texts")
    before, seen = folder.shard(1).stat(), len(encoder.seen)
    fill_shard(1, folder, encoder, texts=tmp_path / "texts")
    assert (folder.shard(1).stat(), len(encoder.seen)) == (before, seen)
    whole = folder.shard(1).read_bytes()
    folder.shard(1).write_bytes(whole[:-9])
    fill_shard(1, folder, encoder, texts=tmp_path / "texts")
    assert folder.shard(1).read_bytes() == whole


def test_a_full_disk_leaves_no_shard(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    folder = begin(SEQUENCES, size=8)
    monkeypatch.setattr(filling.ShardWriter, "add", full)
    with pytest.raises(StorageError, match="no space left on the disk of .*shard-00000.*again"):
        fill_shard(0, folder, Letters(), texts=tmp_path / "texts")
    assert [path.name for path in folder.path.iterdir()] == ["_embeddings.json"]


def test_the_record_of_a_finished_folder_sums_up_its_shards(begin: Begin, tmp_path: Path) -> None:
    folder = begin(SEQUENCES, size=8)
    for number in range(folder.record.shards):
        fill_shard(number, folder, Letters(), texts=tmp_path / "texts")
    done = finish(folder)
    assert done == open_folder(folder.path)
    assert (done.record.status, done.record.rows, len(done)) == (FINISHED, 32, 32)
    long = sum(len(sequence) > 5 for sequence in SEQUENCES)
    assert [(one.kind, one.count) for one in done.record.findings] == [
        ("over_long_sequences", long)
    ]
    folder.shard(2).write_bytes(b"")
    with pytest.raises(InputError, match=r"shard-00002.parquet: the file is damaged. Run the same"):
        finish(folder)


def test_parts_cover_all_shards_once() -> None:
    parts = [Part(index, 3).numbers(8) for index in range(3)]
    assert sorted(number for part in parts for number in part) == list(range(8))
    assert list(Part(5, 9).numbers(4)) == []
    assert str(Part(2, 3)) == "2/3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2/2", "received 2/2; expected a part such as 0/2 to 1/2.*count from 0"),
        ("x", "expected a part such as 0/8"),
        ("-1/4", "expected a part such as 0/4 to 3/4"),
        ("1/0", "received 1/0; expected a part such as 0/8"),
        ("1/2/3", "received 1/2/3"),
        ("/", "--shard: received /"),
    ],
)
def test_parts_that_are_none_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_part(text)


def test_vectors_are_stored_in_the_type_of_the_folder(begin: Begin, tmp_path: Path) -> None:
    folder = begin(SEQUENCES, size=100)
    fill_shard(0, folder, Letters(), texts=tmp_path / "texts")
    assert {vector.dtype for vector in folder.values()} == {np.dtype("float16")}
