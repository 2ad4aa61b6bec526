from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from peftide.config import TableOptions
from peftide.errors import InputError
from peftide.maps import Annotated, annotate
from peftide.sequences import sequence_lookup
from tests.conftest import write_rows

KNOWN = {"P1": "MKVLA", "P2": "MKVLAW", "P3": "GGHKL", "P4": "MKVLA"}


def annotated(
    folder: Path, header: str, rows: Sequence[tuple[object, ...]], **options: Any
) -> Annotated:
    table = write_rows(folder / "t.tsv", header, rows)
    lookup = None if options.pop("alone", False) else sequence_lookup(KNOWN)
    return annotate(lookup, table, TableOptions(missing="drop", **options))


def column(found: Annotated, name: str) -> list[str]:
    return found.table[name].tolist()


def test_sequences_without_a_table() -> None:
    found = annotate(sequence_lookup(KNOWN), None, TableOptions())
    assert list(found.table) == ["id", "length"]
    assert column(found, "length") == [5, 6, 5, 5]


def test_classes_and_parts_come_from_the_rows_of_each_id(tmp_path: Path) -> None:
    rows = [("P2", "C2", "valid"), ("P1", "C1", "train"), ("P2", "C1", "test")]
    found = annotated(tmp_path, "id label split", rows)
    assert column(found, "id") == ["P1", "P2", "P3", "P4"]
    assert column(found, "label") == ["C1", "C1 + C2", "", ""]
    assert column(found, "split") == ["train", "validation + test", "", ""]


def test_of_pairs_a_protein_has_the_share_of_positives_and_all_its_parts(tmp_path: Path) -> None:
    rows = [("P1", "P2", "yes", "train"), ("P1", "P3", "no", "test"), ("P1", "P1", "yes", "test")]
    found = annotated(tmp_path, "id_a id_b label split", rows)
    assert found.of_pairs
    assert column(found, "label") == ["0.5", "1", "0", ""], "the pair with itself does not count"
    assert column(found, "split") == ["train + test", "train", "test", ""]
    kept = annotated(tmp_path, "id_a id_b label split", rows, self_pairs="keep")
    assert column(kept, "label")[0] == "0.6667"


def test_a_table_without_ids_is_matched_by_sequence(tmp_path: Path) -> None:
    found = annotated(tmp_path, "sequence label", [("MKVLA", "0.5"), ("MKVLAW", "0.7")])
    assert column(found, "label") == ["0.5", "0.7", "", "0.5"]


def test_a_table_with_sequences_needs_no_fasta(tmp_path: Path) -> None:
    rows = [("A", "MKV", 1), ("B", "MKL", 0)]
    found = annotated(tmp_path, "id sequence label", rows, alone=True)
    assert found.proteins.ids == ("A", "B")
    assert column(found, "label") == ["1", "0"]


def test_labels_per_residue_do_not_colour_a_sequence(tmp_path: Path) -> None:
    rows = [("P1", "HHEEC", "train"), ("P2", "HHEECC", "train"), ("P3", "CCCCC", "test")]
    found = annotated(tmp_path, "id label split", rows)
    assert list(found.table) == ["id", "length", "split"]


def test_other_columns_can_colour_the_map(tmp_path: Path) -> None:
    rows = [("P1", "S. cerevisiae"), ("P3", "H. sapiens")]
    found = annotated(tmp_path, "id organism", rows, label_column="organism")
    assert column(found, "label") == ["S. cerevisiae", "", "H. sapiens", ""]


def test_rows_without_a_sequence_are_dropped_and_counted(tmp_path: Path) -> None:
    found = annotated(tmp_path, "id label", [("P1", "C1"), ("P9", "C2")])
    assert column(found, "label")[0] == "C1"
    assert [one.count for one in found.findings if "dropped" in one.decision] == [1]


def test_a_table_of_other_proteins_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no row has a sequence"):
        annotated(tmp_path, "id label", [("P8", "C1"), ("P9", "C2")])


def test_many_classes_of_one_protein_are_several(tmp_path: Path) -> None:
    rows = [("P1", name) for name in ("a", "b", "c", "d")]
    assert column(annotated(tmp_path, "id label", rows), "label")[0] == "several"
