import csv
import errno
from pathlib import Path

import pytest

from peftide.commands.split import split
from peftide.config import SplitConfig
from peftide.errors import InputError, StorageError
from peftide.splitting import files as split_files
from tests.conftest import random_sequences, write_rows


def cells_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream, delimiter="\t"))


def test_cells_with_tabs_quotes_and_line_ends_come_out_as_they_went_in(tmp_path: Path) -> None:
    sequences = random_sequences(20)
    notes = ['a "quoted" word', "a\ttab", "two\nlines", "", " NA ", "1,000"] * 4
    rows = [
        [text, note, str(k % 2)]
        for k, (text, note) in enumerate(zip(sequences, notes, strict=False))
    ]
    with (tmp_path / "s.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["sequence", "note", "label"], *rows])
    config = SplitConfig(input=(tmp_path / "s.csv",), out=tmp_path / "out", kind="random")
    header, *found = cells_of(split(config).path)
    assert header == ["sequence", "note", "label", "split"]
    assert [row[:3] for row in found] == rows


def test_drawn_negatives_of_a_table_with_sequences_carry_them(tmp_path: Path) -> None:
    sequences = random_sequences(16)
    pairs = [
        (sequences[k], sequences[(k + step) % 16], "Yes") for k in range(16) for step in (1, 2)
    ]
    table = write_rows(tmp_path / "t.tsv", "sequence_a sequence_b label", pairs)
    config = SplitConfig(
        input=(table,), out=tmp_path / "out", kind="random", negatives="sample", negative_ratio=2
    )
    _, *found = cells_of(split(config).path)
    drawn = [row for row in found if row[2] == "No"]
    assert len(drawn) > 32
    assert {row[0] for row in drawn} | {row[1] for row in drawn} <= set(sequences)
    assert not {frozenset(row[:2]) for row in drawn} & {frozenset(row[:2]) for row in pairs}


def test_a_column_name_that_the_result_needs_is_refused(tmp_path: Path) -> None:
    table = write_rows(
        tmp_path / "s.tsv",
        "sequence split previous_split",
        [(text, "train", "x") for text in random_sequences(20)],
    )
    config = SplitConfig(input=(table,), out=tmp_path / "out", kind="random")
    with pytest.raises(InputError, match=r"s\.tsv: .* column previous_split"):
        split(config)
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_what_stood_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = write_rows(tmp_path / "s.tsv", "sequence", [(text,) for text in random_sequences(20)])
    out = tmp_path / "out"
    config = SplitConfig(input=(table,), out=out, similarity="none", overwrite=True)
    split(config)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert before.keys() == {"split.tsv", "clusters.tsv", "split.json"}

    def full(path: Path, *_: object) -> None:
        path.write_text("half of it")
        if path.name == "clusters.tsv":
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(split_files, "_write_tsv", full)
    with pytest.raises(StorageError, match=r"no space left on the disk"):
        split(config)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
