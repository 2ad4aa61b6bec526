from pathlib import Path

import pytest

from peftide.config import SplitConfig
from peftide.errors import InputError
from peftide.splitting.rows import input_files, read_rows
from tests.conftest import write_proteins, write_rows


@pytest.fixture
def config(tmp_path: Path) -> SplitConfig:
    """Five pairs of three sequences; p3 is p0 under another id."""
    write_proteins(tmp_path / "p.fasta", ["MKVLA", "GGSGG", "WWKDE", "MKVLA"])
    rows = [("p0", "p1", 1), ("p1", "p3", 0), ("p2", "p2", 1), ("p3", "p0", 1), ("p9", "p1", 1)]
    table = write_rows(tmp_path / "t.tsv", "id_a id_b label", rows)
    return SplitConfig(
        input=(table,), sequences=tmp_path / "p.fasta", out=tmp_path / "out", missing="drop"
    )


def test_rows_are_compared_by_sequence(config: SplitConfig) -> None:
    rows = read_rows(config)
    assert rows.level == "pair"
    assert len(rows.cells) == 5
    assert rows.known.tolist() == [0, 1, 2, 3]
    assert rows.asked.tolist() == [0, 0, 1, 2]
    assert rows.selfs().tolist() == [False, False, True, True]
    assert rows.labels == ("1", "0", "1", "1")
    assert rows.lengths() is None
    assert [finding.kind for finding in rows.findings] == []


def test_labels_of_residues_keep_their_spaces(tmp_path: Path) -> None:
    table = tmp_path / "s.tsv"
    table.write_text("sequence\tlabel\nMKV\t HH\nGGSG\tEE  \n")
    rows = read_rows(SplitConfig(input=(table,), out=tmp_path / "out"))
    assert rows.labels == (" HH", "EE  ")
    assert rows.lengths() == [3, 4]
    assert rows.selfs().tolist() == [False, False]


def test_every_file_that_is_read_is_named(config: SplitConfig, tmp_path: Path) -> None:
    assert input_files(config) == [tmp_path / "t.tsv", tmp_path / "p.fasta"]
    twice = SplitConfig(input=(tmp_path / "t.tsv",) * 2, out=tmp_path / "out")
    with pytest.raises(InputError, match=r"t\.tsv is given twice"):
        input_files(twice)
