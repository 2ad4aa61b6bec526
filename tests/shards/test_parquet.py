import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from peftide.shards import parquet
from peftide.shards.parquet import ShardForm, ShardWriter, read_footer, read_rows
from peftide.types import FloatArray

NOTE = {"fingerprint": "f", "shard": 3}
ROWS = [("a", "MKV", 3), ("b", "MKV", 3), ("c", "MKVLA", 5), ("é", "W", 1)]


def vectors_of(form: ShardForm, length: int) -> FloatArray:
    rows = length if form.per_residue else 1
    return np.random.default_rng(length).normal(size=(rows, form.width)).astype(form.number_type)


def written(path: Path, form: ShardForm) -> Path:
    with ShardWriter(path, form, NOTE) as writer:
        writer.add(["a", "b"], "MKV", vectors_of(form, 3))
        writer.add(["c"], "MKVLA", vectors_of(form, 5))
        writer.add(["é"], "W", vectors_of(form, 1))
    return path


@pytest.fixture(params=[("float16", False), ("float32", False), ("float16", True)])
def form(request: pytest.FixtureRequest) -> ShardForm:
    return ShardForm(4, *request.param)


def test_pyarrow_reads_the_promised_columns(tmp_path: Path, form: ShardForm) -> None:
    table = pq.read_table(written(tmp_path / "s.parquet", form))
    number = {"float16": pa.float16(), "float32": pa.float32()}[form.number_type]
    kind: Any = table.schema.field("vector").type
    vector = kind.value_type if form.per_residue else kind
    assert pa.types.is_fixed_size_list(vector)
    assert (vector.value_type, vector.list_size) == (number, 4)
    assert table.column_names == ["id", "sequence_hash", "length", "vector"]
    assert table["id"].to_pylist() == ["a", "b", "c", "é"]
    assert table["length"].to_pylist() == [3, 3, 5, 1]
    hashes = [hashlib.sha256(text.encode()).hexdigest()[:32] for _, text, _ in ROWS]
    assert table["sequence_hash"].to_pylist() == hashes
    for found, (_, _, length) in zip(table["vector"].to_pylist(), ROWS, strict=True):
        expected = vectors_of(form, length)
        np.testing.assert_array_equal(found, expected if form.per_residue else expected[0])


@pytest.mark.parametrize("limit", [1, 120, 2**26])
def test_row_groups_keep_to_their_size(
    tmp_path: Path, form: ShardForm, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP_BYTES", limit)
    path = written(tmp_path / "s.parquet", form)
    metadata = pq.read_metadata(path)
    sizes = [metadata.row_group(k).num_rows for k in range(metadata.num_row_groups)]
    assert sum(sizes) == 4
    assert (len(sizes) == 1) == (limit == 2**26)
    assert len(sizes) == 4 or limit > 1
    rows = list(read_rows(path, form, columns=("id", "length")))
    assert [row[:2] for row in rows] == [("a", 3), ("b", 3), ("c", 5), ("é", 1)]
    for (*_, vector), (_, _, length) in zip(rows, ROWS, strict=True):
        expected = vectors_of(form, length)
        np.testing.assert_array_equal(vector, expected if form.per_residue else expected[0])
        assert vector.dtype == form.number_type


def test_a_row_group_of_real_size_has_at_most_64_mb(tmp_path: Path) -> None:
    form = ShardForm(1_000_000, "float16", per_residue=False)
    with ShardWriter(tmp_path / "s.parquet", form, NOTE) as writer:
        for number in range(70):
            writer.add([str(number)], "MKV", np.zeros((1, form.width), np.float16))
    metadata = pq.read_metadata(tmp_path / "s.parquet")
    sizes = [metadata.row_group(k).total_byte_size for k in range(metadata.num_row_groups)]
    assert len(sizes) == 3
    assert max(sizes) <= 64 * 2**20


def test_the_footer_has_the_note(tmp_path: Path, form: ShardForm) -> None:
    footer = read_footer(written(tmp_path / "s.parquet", form))
    assert footer is not None
    assert (footer.note, footer.rows) == (NOTE, 4)


def test_a_shard_without_sequences_can_be_read(tmp_path: Path, form: ShardForm) -> None:
    with ShardWriter(tmp_path / "s.parquet", form, NOTE):
        pass
    footer = read_footer(tmp_path / "s.parquet")
    assert footer is not None
    assert footer.rows == 0
    assert list(read_rows(tmp_path / "s.parquet", form)) == []


def test_what_is_no_shard_has_no_footer(tmp_path: Path, form: ShardForm) -> None:
    whole = written(tmp_path / "s.parquet", form).read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    pd.DataFrame({"id": ["a"]}).to_parquet(tmp_path / "mine.parquet")
    for name in ("cut", "mine", "absent"):
        assert read_footer(tmp_path / f"{name}.parquet") is None


def test_a_writer_that_fails_passes_the_error_on(tmp_path: Path, form: ShardForm) -> None:
    def fail() -> None:
        with ShardWriter(tmp_path / "s.parquet", form, NOTE) as writer:
            writer.add(["a"], "MKV", vectors_of(form, 3))
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fail()
