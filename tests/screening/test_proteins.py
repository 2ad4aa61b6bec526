from pathlib import Path

import pytest

from peftide.config import ScreenConfig
from peftide.errors import InputError
from peftide.screening.proteins import read_proteins


def config_of(folder: Path, text: str, against: str = "") -> ScreenConfig:
    (folder / "p.fasta").write_text(text)
    (folder / "q.fasta").write_text(against)
    other = folder / "q.fasta" if against else None
    return ScreenConfig(
        run=folder, sequences=folder / "p.fasta", against=other, out=folder / "h.parquet"
    )


def test_equal_sequences_are_encoded_once(tmp_path: Path) -> None:
    found = read_proteins(config_of(tmp_path, ">a\nACD\n>b\nMKV\n>c\nACD\n"))
    assert found.sequences == ("ACD", "MKV")
    assert found.numbers.tolist() == [0, 1, 0]
    assert found.is_square
    assert list(found.names) == list(found.partners) == ["a", "b", "c"]


def test_partners_of_another_file_follow_the_screened_proteins(tmp_path: Path) -> None:
    found = read_proteins(config_of(tmp_path, ">a\nACD\n", ">x\nMKV\n>y\nACD\n"))
    assert not found.is_square
    assert list(found.names) == ["a"]
    assert list(found.partners) == ["x", "y"]
    assert found.numbers.tolist() == [0, 1, 0]


def test_an_id_of_two_proteins_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING"):
        read_proteins(config_of(tmp_path, ">a\nACD\n>b\nMKV\n", ">a\nACD\n>b\nMKL\n"))
    assert "1 id of two proteins" in caplog.text


def test_one_protein_has_no_partner(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="partners in --against"):
        read_proteins(config_of(tmp_path, ">a\nACD\n"))
