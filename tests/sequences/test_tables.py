"""From a table to ids, sequences, labels, splits and masks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from peftide.config.options import TableOptions
from peftide.errors import InputError
from peftide.sequences.tables import Table, TextArray, read_table
from peftide.types import Level


def cells(column: TextArray | None) -> list[Any]:
    assert column is not None
    return column.tolist()


@pytest.fixture
def table(tmp_path: Path):
    def read(text: str, level: Level = "pair", needs_labels: bool = True, **options: Any):
        path = tmp_path / "a.tsv"
        path.write_text(text.replace(" ", "\t"))
        return read_table(path, TableOptions(**options), level=level, needs_labels=needs_labels)

    return read


def test_pairs_by_id(table: Callable[..., Table]):
    read = table("id_a id_b label split\nP1 P2 NA train\nP3 P1 001 test\n")
    assert cells(read.ids) == [["P1", "P2"], ["P3", "P1"]]
    assert read.sequences is None
    assert cells(read.labels) == ["NA", "001"]
    assert cells(read.splits) == ["train", "test"]
    assert read.lines.tolist() == [2, 3]
    assert read.where(1).endswith("a.tsv:3")
    assert read.columns == ("id_a", "id_b", "label", "split")


def test_pairs_by_sequence(table: Callable[..., Table]):
    read = table("sequence_a sequence_b label\nmkv MKL* 1\n")
    assert read.ids is None
    assert cells(read.sequences) == [["MKV", "MKL"]]
    assert [finding.kind for finding in read.findings] == ["lower_case_sequences", "trailing_stops"]


def test_single_sequences_with_id(table: Callable[..., Table]):
    read = table("sequence label id\nMKV 1.5 P1\n", level="sequence")
    assert cells(read.ids) == [["P1"]]
    assert cells(read.sequences) == [["MKV"]]


def test_single_ids_need_no_sequence_column(table: Callable[..., Table]):
    read = table("id label\nP1 1\n", level="sequence")
    assert read.sequences is None


def test_single_sequences_have_masks_and_labels_keep_spaces(tmp_path: Path):
    path = tmp_path / "a.tsv"
    path.write_text("sequence\tlabel\tmask\nMKV\t H \t011\n")
    read = read_table(path, TableOptions(), level="residue", needs_labels=True)
    assert cells(read.masks) == ["011"]
    assert cells(read.labels) == [" H "]


def test_cells_and_column_names_are_stripped(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text("id_a, id_b, label\nP1, P2, yes \n")
    read = read_table(path, TableOptions(), level="pair", needs_labels=True)
    assert cells(read.ids) == [["P1", "P2"]]
    assert cells(read.labels) == ["yes "]


@pytest.mark.parametrize("text", ["NA", "N/A", "nan", "None", "NULL", "<NA>", "-", ".", ""])
def test_missing_sequences_are_errors_with_a_line(table: Callable[..., Table], text: str):
    with pytest.raises(InputError, match=r"a\.tsv:3: the sequence of P2 is (empty|.*missing)"):
        table(f"id\tsequence\tlabel\nP1\tMKV\t1\nP2\t{text}\t0\n", level="sequence")
    with pytest.raises(InputError, match=r"a\.tsv:2: the sequence of .*sequence_b is "):
        table(f"sequence_a\tsequence_b\tlabel\nMKV\t{text}\t1\n")


@pytest.mark.parametrize("value", [None, pd.NA, np.nan, "nan", "NA", ""])
def test_missing_sequences_in_memory(value: Any):
    def read(source: Any) -> Table:
        return read_table(source, TableOptions(), level="sequence", needs_labels=False)

    for columns in ({}, {"id": ["P1", "P2"]}):
        with pytest.raises(InputError, match="DataFrame: row 2: the sequence of .* is "):
            read(pd.DataFrame({"sequence": ["MKV", value], **columns}))
    if isinstance(value, str):  # the types that tests check refuse other items
        with pytest.raises(InputError, match="list: row 2: the sequence of .* is "):
            read(["MKV", value])
    with pytest.raises(InputError, match="row 2: the sequence of b is "):
        read(pd.Series({"a": "MKV", "b": value}))


def test_a_peptide_of_these_letters_is_written_with_a_stop(table: Callable[..., Table]):
    read = table("sequence label\nNA* 1\n", level="sequence")
    assert cells(read.sequences) == [["NA"]]


def test_missing_clusters_are_read_as_empty(table: Callable[..., Table]):
    read = table("sequence label cluster\nMKV 1 c1\nMKL 0 NA\n", level="sequence")
    assert cells(read.clusters) == ["c1", ""]
    (found,) = read.findings
    assert (found.kind, found.count) == ("missing_clusters", 1)
    assert "a.tsv:3" in found.examples[0]


def test_other_column_names(table: Callable[..., Table]):
    read = table(
        "p q y part\nP1 P2 1 test\n",
        id_a_column="p",
        id_b_column="q",
        label_column="y",
        split_column="part",
    )
    assert cells(read.ids) == [["P1", "P2"]]
    assert (cells(read.labels), cells(read.splits)) == (["1"], ["test"])


def test_labels_where_not_needed(table: Callable[..., Table]):
    assert table("id_a id_b\nP1 P2\n", needs_labels=False).labels is None
    assert cells(table("id_a id_b label\nP1 P2 1\n", needs_labels=False).labels) == ["1"]
    assert cells(table("id_a id_b label\nP1 P2 \n", needs_labels=False).labels) == [""]


def test_select_keeps_what_is_not_there_none(table: Callable[..., Table]):
    read = table("id_a id_b label\nP1 P2 1\nP3 P4 0\n").select(np.array([False, True]))
    assert (len(read), read.lines.tolist(), cells(read.labels)) == (1, [3], ["0"])
    assert read.splits is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "id_a id_b lable\nP1 P2 1\n",
            r"no column label \(name another one with --label-column\). Did you mean lable\?",
        ),
        (
            "id_a idb label\nP1 P2 1\n",
            r"no column id_b \(name another one with --id-b-column\). Did you mean idb\?",
        ),
        (
            "a b label\nP1 P2 1\n",
            r"expected id_a and id_b, or sequence_a and sequence_b; .* line, has: a, b, label",
        ),
        (
            "sequence label\nMK 1\n",
            r"looks like a table of single proteins, .* about pairs\. .*--sequence-a-column",
        ),
        ("id_a id_b label\nP1  1\n", "a.tsv:2: the id_b is empty"),
        ("id_a id_b label\nP1 P2 \n", "a.tsv:2: the label is empty"),
        ("sequence_a sequence_b label\nMK M-K 1\n", "a.tsv:2: the sequence of column sequence_b"),
        ("id_a id_b sequence_a sequence_b label\nP1 P2 MK M1 1\n", "a.tsv:2: .*of P2 has '1'"),
    ],
)
def test_problems(table: Callable[..., Table], text: str, said: str):
    with pytest.raises(InputError, match=said):
        table(text)


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("Mask", "--mask-column"),
        ("masks", "--mask-column"),
        ("CLUSTER", "--cluster-column"),
        (" Split_", "--split-column"),
    ],
)
def test_a_column_that_is_spelled_otherwise_is_named(
    table: Callable[..., Table], name: str, flag: str
):
    """It was left out without a word before."""
    with pytest.raises(InputError, match=flag) as caught:
        table(f"sequence,label,{name}\nMK,HE,11\n", level="residue")
    assert f"Did you mean {name.strip()}" in str(caught.value)


@pytest.mark.parametrize(
    "header", ["id s\u0435quence label", "id sequence l\u0430bel", "id sequence label \uff53plit"]
)
def test_letters_that_look_alike_in_a_column_are_named(
    table: Callable[..., Table], header: str
) -> None:
    row = " ".join(["P1", "MKV", "1", "train"][: len(header.split())])
    with pytest.raises(InputError, match=r"is written with (CYRILLIC|FULLWIDTH)"):
        table(f"{header}\n{row}\n", level="sequence")


def test_a_mask_may_be_a_list(table: Callable[..., Table]) -> None:
    read = table("id sequence label mask\nP1 MKV HHE 1,0,1\nP2 MKV HHE 101\n", level="residue")
    assert cells(read.masks) == ["101", "101"]


def test_a_column_that_was_asked_for_must_be_there(table: Callable[..., Table]):
    with pytest.raises(InputError) as caught:
        table("sequence label\nMK 1\n", level="sequence", id_column="name", split_column="fold")
    assert "no column name (name another one with --id-column)" in str(caught.value)
    assert "no column fold (name another one with --split-column)" in str(caught.value)


def test_problems_of_all_rows_come_together(table: Callable[..., Table]):
    with pytest.raises(InputError, match="3 problems"):
        table("id label sequence\nP1  MK\n 1 MK\nP3 1 M?\n", level="sequence")


def test_fasta_as_rows(tmp_path: Path):
    path = tmp_path / "a.fasta"
    path.write_text(">P1\nmk\n>P2 x\nMKV\n")
    read = read_table(path, TableOptions(), level="sequence", needs_labels=False)
    assert cells(read.ids) == [["P1"], ["P2"]]
    assert cells(read.sequences) == [["MK"], ["MKV"]]
    assert (read.lines.tolist(), read.labels) == ([1, 3], None)
    assert [finding.kind for finding in read.findings] == ["lower_case_sequences"]


@pytest.mark.parametrize(
    ("header", "options", "level"),
    [
        ("id_a id_b label", {}, "pair"),
        ("id sequence_a sequence_b label", {}, "pair"),
        ("id sequence label", {}, "sequence"),
        ("id_a sequence label", {}, "sequence"),
        ("bait prey label", {"id_a_column": "bait", "id_b_column": "prey"}, "pair"),
    ],
)
def test_the_columns_say_whether_rows_are_pairs(
    tmp_path: Path, header: str, options: dict[str, Any], level: Level
) -> None:
    path = tmp_path / "a.tsv"
    path.write_text(header.replace(" ", "\t") + "\n" + "\t".join("x" * len(header.split())) + "\n")
    read = read_table(path, TableOptions(**options), needs_labels=False)
    assert read.has_pairs == (level == "pair")


@pytest.mark.parametrize(("level", "needs_labels"), [("pair", False), ("sequence", True)])
def test_a_fasta_file_is_no_table_of_pairs_or_labels(
    tmp_path: Path, level: Level, needs_labels: bool
) -> None:
    path = tmp_path / "a.fasta"
    path.write_text(">P1\nMK\n")
    with pytest.raises(InputError, match="a.fasta: this is a FASTA file"):
        read_table(path, TableOptions(), level=level, needs_labels=needs_labels)


PAIRS = pd.DataFrame({"id_a": ["P1", "P3"], "id_b": ["P2", "P1"], "label": [1, 0]})


def test_a_frame_is_read_as_its_file_is(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    PAIRS.to_csv(path, sep="\t", index=False)
    sources = [path, str(path), PAIRS]
    tables = [read_table(source, TableOptions(), needs_labels=True) for source in sources]
    for read in tables:
        assert read.has_pairs
        assert cells(read.ids) == [["P1", "P2"], ["P3", "P1"]]
        assert cells(read.labels) == ["1", "0"]
    assert [read.where(1) for read in tables] == [f"{path}:3", f"{path}:3", "DataFrame: row 2"]


def test_problems_of_a_frame_name_its_row() -> None:
    frame = pd.DataFrame({"sequence": ["MK", "M1"], "label": [1, None]})
    with pytest.raises(InputError) as caught:
        read_table(frame, TableOptions(), needs_labels=True)
    assert "DataFrame: row 2: the sequence of column sequence has '1'" in str(caught.value)
    assert "DataFrame: row 2: the label is empty" in str(caught.value)


def test_lists_and_series_of_sequences() -> None:
    named = pd.Series(["mk", "MKV"], index=["P1", "P2"])
    for source in (["mk", "MKV"], named, named.reset_index(drop=True)):
        read = read_table(source, TableOptions(), level="sequence", needs_labels=False)
        assert cells(read.sequences) == [["MK"], ["MKV"]]
        assert (None if read.ids is None else cells(read.ids)) == (
            [["P1"], ["P2"]] if source is named else None
        )


def test_lists_of_pairs_of_sequences_or_ids() -> None:
    rows = [("MK", "ML"), ("ML", "MV")]
    read = read_table(rows, TableOptions(), level="pair", needs_labels=False)
    assert cells(read.sequences) == [["MK", "ML"], ["ML", "MV"]]
    assert read.ids is None
    read = read_table(rows, TableOptions(), level="pair", needs_labels=False, ids=True)
    assert cells(read.ids) == [["MK", "ML"], ["ML", "MV"]]
    assert read.sequences is None
    with pytest.raises(InputError, match="looks like a table of pairs"):
        read_table(rows, TableOptions(), level="sequence", needs_labels=False)
