import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peftide.errors import StorageError
from peftide.evaluation.tables import prediction_table, write_table
from peftide.sequences import Examples, Proteins

PROTEINS = Proteins(("a", "b"), ("MKV", "WWAD"))


def examples(members: list[list[int]], labels: tuple[str, ...] | None) -> Examples:
    count = len(members)
    return Examples(
        Path("t.tsv"), np.arange(2, count + 2), np.array(members), np.ones(count, bool), labels
    )


def test_pairs_have_two_ids() -> None:
    table = prediction_table(
        examples([[1, 0], [0, 0]], ("1", "0")),
        PROTEINS,
        level="pair",
        answers={"score": np.array([0.5, 1.5])},
        residues=np.array([4, 3]),
    )
    assert table.to_dict("list") == {
        "id_a": ["b", "a"],
        "id_b": ["a", "a"],
        "label": ["1", "0"],
        "score": [0.5, 1.5],
    }


def test_residues_that_the_model_saw_have_a_row_each() -> None:
    table = prediction_table(
        examples([[1], [0]], ("HHEE", "EHE")),
        PROTEINS,
        level="residue",
        answers={"prediction": list("HHHEEE")},
        residues=np.array([3, 3]),
    )
    assert table["id"].tolist() == ["b"] * 3 + ["a"] * 3
    assert table["position"].tolist() == [1, 2, 3, 1, 2, 3]
    assert "".join(table["residue"]) == "WWAMKV"
    assert "".join(table["label"]) == "HHEEHE"


def test_without_labels_there_is_no_label_column() -> None:
    table = prediction_table(
        examples([[0]], None),
        PROTEINS,
        level="sequence",
        answers={"prediction": np.array([1.0])},
        residues=np.array([3]),
    )
    assert list(table) == ["id", "prediction"]


def test_rows_that_do_not_enter_the_scores_are_marked() -> None:
    table = prediction_table(
        examples([[1, 0], [0, 0]], ("1", "1")),
        PROTEINS,
        level="pair",
        answers={"score": np.array([0.5, 1.5])},
        residues=np.array([4, 3]),
        counted=np.array([True, False]),
    )
    assert list(table) == ["id_a", "id_b", "label", "counted", "score"]
    assert table["counted"].tolist() == [1, 0]


def test_a_table_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(StorageError, match="no space left"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "t.tsv")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["csv", "tsv", "csv.gz", "tsv.xz", "txt"])
def test_the_ending_decides_the_separator_and_no_id_changes(tmp_path: Path, ending: str) -> None:
    ids = ["=1+1", "+x", "@x", "-x", "a,b", 'say "a"', "chain/A/1", ".", "..", "é中", "x" * 9000]
    path = tmp_path / f"scores.{ending}"
    write_table(pd.DataFrame({"id": ids, "score": 0.5}), path)
    separator = "," if ending.startswith("csv") else "\t"
    found = pd.read_csv(path, sep=separator, keep_default_na=False, encoding="utf-8")
    assert list(found["id"]) == ids


def test_equal_tables_are_equal_files_when_packed(tmp_path: Path) -> None:
    """A header of gzip may hold a name, here a temporary one, and a time."""
    for name in ("a.tsv.gz", "b.tsv.gz"):
        write_table(pd.DataFrame({"id": ["é"], "score": 0.5}), tmp_path / name)
    assert (tmp_path / "a.tsv.gz").read_bytes() == (tmp_path / "b.tsv.gz").read_bytes()
    assert (tmp_path / "a.tsv.gz").read_bytes()[3:8] == bytes(5)  # no name, no time
    assert gzip.decompress((tmp_path / "a.tsv.gz").read_bytes()).decode() == "id\tscore\né\t0.5\n"
