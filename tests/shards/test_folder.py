from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from peftide.errors import InputError
from peftide.shards import folder as folder_module
from peftide.shards.filling import fill_shard
from peftide.shards.folder import (
    ModelCard,
    ShardFolder,
    check_model,
    check_source,
    is_shard_folder,
    open_folder,
)
from peftide.shards.parquet import ShardForm
from peftide.shards.sorting import digest, shard_of
from tests.shards.conftest import CARD, Begin, Letters, of_another_model

SEQUENCES = ["ACD", "AC", "CCCC", "DD", "A", "AAAA", "CD"]


@pytest.fixture
def folder(begin: Begin, tmp_path: Path) -> ShardFolder:
    folder = begin(SEQUENCES, size=3)
    for number in range(folder.record.shards):
        fill_shard(number, folder, Letters(), texts=tmp_path / "texts")
    return folder


def test_a_folder_is_a_mapping(folder: ShardFolder) -> None:
    assert len(folder) == 7
    assert sorted(folder) == [f"p{k}" for k in range(7)]
    assert folder["p2"].tolist() == [0, 4, 0]
    assert dict(folder).keys() == set(folder)
    assert len(list(folder.values())) == 7
    with pytest.raises(KeyError, match="p7"):
        folder["p7"]


def test_other_libraries_read_the_whole_folder(folder: ShardFolder) -> None:
    table = pd.read_parquet(folder.path).set_index("id")
    assert len(table) == 7
    assert table.loc["p5", "vector"].tolist() == [4, 0, 0]


def test_missing_and_damaged_shards_are_found(folder: ShardFolder) -> None:
    assert folder.missing(range(3)) == []
    folder.shard(0).unlink()
    folder.shard(2).write_bytes(b"PAR1")
    assert folder.missing(range(3)) == [0, 2]
    assert folder.missing([1]) == []


def test_a_shard_of_another_model_is_refused(folder: ShardFolder) -> None:
    with pytest.raises(
        InputError,
        match=r"shard-0000\d.parquet: this shard is from another model: max_length 5 instead of 9",
    ):
        of_another_model(folder).missing(range(3))
    unnamed = ModelCard("f3", CARD.settings)
    with pytest.raises(InputError, match="another model: other weights under the same name"):
        ShardFolder(folder.path, replace(folder.record, model=unnamed)).footer(0)


def test_a_shard_of_other_sequences_is_refused(folder: ShardFolder) -> None:
    other = replace(folder.record.source, sha256="0" * 64)
    for record in (replace(folder.record, source=other), replace(folder.record, shards=4)):
        with pytest.raises(InputError, match="this shard is from other sequences"):
            ShardFolder(folder.path, record).footer(1)


def test_another_model_for_a_folder_is_refused(folder: ShardFolder) -> None:
    check_model(folder, CARD, folder.record.form)
    with pytest.raises(InputError, match="--out: .*another model: max_length 5 instead of 7"):
        check_model(folder, ModelCard("f2", CARD.settings | {"max_length": 7}), folder.record.form)
    wide = ShardForm(4, "float32", per_residue=True)
    with pytest.raises(
        InputError, match="vectors of 3 float16 numbers; expected vectors per residue of 4 float32"
    ):
        check_model(folder, CARD, wide)


def test_another_fasta_file_for_a_folder_is_refused(folder: ShardFolder, tmp_path: Path) -> None:
    check_source(folder, tmp_path / "p.fasta", size=3)
    with pytest.raises(InputError, match="--shard-size: received 9; expected 3, with which"):
        check_source(folder, tmp_path / "p.fasta", size=9)
    (tmp_path / "p.fasta").write_text(">a\nMKV\n")
    with pytest.raises(InputError, match="holds embeddings of another file, p.fasta; expected"):
        check_source(folder, tmp_path / "p.fasta", size=3)


def test_a_folder_is_known_by_its_record(folder: ShardFolder) -> None:
    assert is_shard_folder(folder.path)
    assert open_folder(folder.path) == folder
    (folder.path / "_embeddings.json").write_text('{"format_version": 1}')
    with pytest.raises(InputError, match="_embeddings.json.*Restore it from a copy"):
        open_folder(folder.path)
    assert not is_shard_folder(folder.path.parent)


def test_vectors_of_some_sequences_are_found_in_their_shards(
    folder: ShardFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = {digest(sequence): sequence for sequence in ("CCCC", "AC", "absent")}
    read = list[Path]()
    real = folder_module.read_rows

    def noting(path: Path, *rest: Any, **more: Any) -> Any:
        read.append(path)
        return real(path, *rest, **more)

    monkeypatch.setattr(folder_module, "read_rows", noting)
    found = {codes[code]: vectors.tolist() for code, vectors in folder.vectors_of(codes)}
    assert found == {"CCCC": [[0, 4, 0]], "AC": [[1, 1, 0]]}
    wanted = {shard_of(digest(sequence), 3) for sequence in codes.values()}
    assert set(read) == {folder.shard(number) for number in wanted}
    for path in read:
        path.unlink()
    assert list(folder.vectors_of(codes)) == []
