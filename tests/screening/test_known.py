from pathlib import Path

import pytest

from peftide.errors import InputError
from peftide.screening.known import read_known
from tests.conftest import write_rows


def table(folder: Path, *rows: tuple[str, str]) -> Path:
    return write_rows(folder / "known.tsv", "id_a id_b", list(rows))


def test_pairs_inside_one_set_count_in_both_directions(tmp_path: Path) -> None:
    known, others = read_known(table(tmp_path, ("a", "c"), ("b", "x")), ["a", "b", "c"])
    assert {one: places.tolist() for one, places in known.items()} == {0: [2], 2: [0]}
    assert others == 1


def test_pairs_between_two_sets_are_found_in_either_order(tmp_path: Path) -> None:
    path = table(tmp_path, ("a", "y"), ("x", "b"))
    known, _ = read_known(path, ["a", "b"], ["x", "y"])
    assert {one: places.tolist() for one, places in known.items()} == {0: [1], 1: [0]}


def test_a_table_of_other_proteins_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of 1 row names"):
        read_known(table(tmp_path, ("q", "r")), ["a", "b"])


def test_known_negatives_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_rows(
        tmp_path / "k.tsv", "id_a id_b label", [("a", "b", "0"), ("a", "c", "1"), ("b", "c", "")]
    )
    with caplog.at_level("WARNING"):
        known, _ = read_known(path, ["a", "b", "c"])
    assert known[0].tolist() == [1, 2]
    assert "1 row with a negative label" in caplog.text
