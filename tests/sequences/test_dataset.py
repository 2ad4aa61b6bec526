"""From tables and FASTA to a data set; invented data by hand, then the real ones."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peftide.config import TrainConfig
from peftide.config.options import TableOptions
from peftide.errors import InputError
from peftide.sequences.dataset import keep_used_proteins, member_proteins, read_dataset, select_rows
from peftide.sequences.parts import split_by_column
from peftide.sequences.records import Dataset, Proteins
from peftide.sequences.tables import read_table
from peftide.splitting.training_data import read_training_data
from peftide.types import Level
from tests.conftest import small_config, write_rows

DATA = Path(os.environ.get("PEFTIDE_DATA", ""))
needs_data = pytest.mark.skipif("PEFTIDE_DATA" not in os.environ, reason="PEFTIDE_DATA is not set")

FASTA = ">P1\nMA\n>P2\nMB\n>P3\nMC\n>unused\nMD\n"


@pytest.fixture
def read(tmp_path: Path):
    def read(
        level: Level = "pair",
        fasta: str | None = FASTA,
        needs_labels: bool = True,
        *,
        options: dict[str, Any] | None = None,
        **tables: str,
    ):
        options = dict(options or {})
        if fasta:
            options["sequences"] = tmp_path / "a.fasta"
            options["sequences"].write_text(fasta)
        chosen = TableOptions(**options)
        parts = {}
        for part, text in tables.items():
            path = tmp_path / f"{part}.tsv"
            path.write_text(text.replace(" ", "\t"))
            parts[part] = read_table(path, chosen, level=level, needs_labels=needs_labels)
        return read_dataset(parts, chosen, level=level)

    return read


def kinds(dataset: Dataset):
    return {(finding.part, finding.kind): finding.count for finding in dataset.findings}


def test_pairs_by_id(read: Callable[..., Dataset]):
    data = read(
        train="id_a id_b label\nP3 P1 1\nP1 P1 0\n", test="id_a id_b label split\nP1 P2 1 test\n"
    )
    assert data.proteins == Proteins(("P3", "P1", "P2"), ("MC", "MA", "MB"))
    assert data.parts["train"].members.tolist() == [[0, 1], [1, 1]]
    assert data.parts["test"].members.tolist() == [[1, 2]]
    assert data.parts["train"].labels == ("1", "0")
    assert data.parts["train"].counted.tolist() == [True, False]
    assert kinds(data) == {("train", "self_pairs"): 1}


def test_pairs_by_sequence(read: Callable[..., Dataset]):
    data = read(fasta=None, train="sequence_a sequence_b label\nMA MB 1\nmb MA 1\n")
    assert data.proteins == Proteins(("seq_1", "seq_2"), ("MA", "MB"))
    assert data.parts["train"].members.tolist() == [[0, 1], [1, 0]]
    assert kinds(data) == {
        ("sequences", "lower_case_sequences"): 1,
        ("train", "repeated_examples"): 1,
        ("train", "swapped_repeats"): 1,
    }


def test_own_sequences_win_over_the_fasta_file(read: Callable[..., Dataset]):
    data = read("sequence", train="id sequence label\nP1 MA 1\nQ1 MWW 0\n")
    assert data.proteins == Proteins(("P1", "Q1"), ("MA", "MWW"))
    assert kinds(data)["sequences", "own_sequences"] == 2


def test_an_id_with_other_sequences_in_table_and_fasta_file_is_an_error(
    read: Callable[..., Dataset],
):
    with pytest.raises(InputError, match=r"train\.tsv:3: id P2 .*a\.fasta"):
        read("sequence", train="id sequence label\nP1 MA 1\nP2 MWW 0\n")


@pytest.mark.parametrize("name", ["NA", "nan", "None", "-"])
def test_an_id_like_a_missing_value_needs_a_sequence_of_this_id(
    read: Callable[..., Dataset], name: str
):
    text = f"id_a id_b label\nP1 P2 1\nP1 {name} 0\n"
    for options in ({}, {"missing": "drop"}):
        with pytest.raises(
            InputError, match=rf"train\.tsv:3: the id '{name}' looks like a missing"
        ):
            read(train=text, options=options)
    data = read(train=text, fasta=f"{FASTA}>{name}\nMWW\n")
    assert data.proteins.sequences == ("MA", "MB", "MWW")
    with pytest.raises(InputError, match=rf"train\.tsv:2: the id '{name}' looks like a missing"):
        read("sequence", train=f"id sequence label\n{name} MKV 1\n", fasta=None)


def test_masks_come_along(read: Callable[..., Dataset]):
    data = read("residue", fasta=None, train="sequence label mask\nMA HH 01\n")
    assert data.parts["train"].masks == ("01",)


def test_findings_of_a_file_are_told_once(read: Callable[..., Dataset], tmp_path: Path):
    path = tmp_path / "all.tsv"
    path.write_text("sequence\tlabel\tsplit\nma\t1\ttrain\nMB\t1\tTEST\n")
    table = read_table(path, TableOptions(), level="sequence", needs_labels=True)
    data = read_dataset(split_by_column(table, column="split"), TableOptions(), level="sequence")
    assert kinds(data) == {("sequences", "lower_case_sequences"): 1}
    assert data.proteins.ids == ("row_2", "row_3")


def test_fasta_to_predict_on(tmp_path: Path):
    path = tmp_path / "a.fasta"
    path.write_text(FASTA)
    table = read_table(path, TableOptions(), level="sequence", needs_labels=False)
    data = read_dataset({"input": table}, TableOptions(), level="sequence")
    assert data.proteins.ids == ("P1", "P2", "P3", "unused")
    assert data.parts["input"].labels is None
    assert data.parts["input"].counted.all()


def test_without_labels_nothing_is_judged(read: Callable[..., Dataset]):
    data = read(needs_labels=False, input="id_a id_b\nP1 P1\nP1 P1\n")
    assert data.parts["input"].counted.all()
    assert data.findings == ()


def test_ids_without_fasta(read: Callable[..., Dataset]):
    with pytest.raises(InputError, match=r"train\.tsv: .*sequences are missing.*--sequences"):
        read(fasta=None, train="id_a id_b label\nP1 P2 1\n")


def test_ids_without_sequence_in_all_parts(read: Callable[..., Dataset]):
    with pytest.raises(InputError) as caught:
        read(train="id_a id_b label\nP1 P8 1\n", test="id_a id_b label\nP9 P2 1\n")
    message = str(caught.value)
    assert "train.tsv:2: id P8 has no sequence in " in message
    assert "test.tsv:2: id P9 has no sequence in " in message
    assert "a.fasta has ids such as P1, P2. `--missing drop` leaves out rows without" in message


def test_ids_without_sequence_can_be_dropped(read: Callable[..., Dataset]):
    data = read(options={"missing": "drop"}, train="id_a id_b label\nP1 P8 1\nP1 P2 0\nP3 P8 1\n")
    assert kinds(data) == {("train", "missing_sequences"): 2}
    assert data.parts["train"].lines.tolist() == [3]
    assert data.proteins.ids == ("P1", "P2")


def test_id_with_two_sequences_in_pairs(read: Callable[..., Dataset]):
    with pytest.raises(InputError) as caught:
        read(
            fasta=None,
            train="id_a id_b sequence_a sequence_b label\nP1 P2 MA MB 1\nP1 P2 MC MB 1\n",
            test="id_a id_b sequence_a sequence_b label\nP1 P2 MC MW 1\n",
        )
    message = str(caught.value)
    assert "2 problems" in message
    assert "train.tsv:3: id P1 has a different sequence here than in " in message
    assert "test.tsv:2: id P2 has a different sequence here than in " in message
    assert message.count("train.tsv:2") == 2


def test_id_with_two_sequences_in_single_rows_is_renamed_or_refused(read: Callable[..., Dataset]):
    text = "id sequence label\nP1 MA 1\nP1 MB 1\n"
    data = read("sequence", fasta=None, train=text)
    assert data.proteins.ids == ("P1", "P1_row_3")
    assert kinds(data) == {("sequences", "renamed_ids"): 1}
    with pytest.raises(InputError, match=r"train\.tsv:3: id P1 has a different sequence here"):
        read("sequence", fasta=None, options={"strict": True}, train=text)


def test_rows_whose_split_column_says_another_part(read: Callable[..., Dataset]):
    rows = "P1 P2 1 train\nP1 P3 1 test\nP2 P3 1 other\n"
    data = read(train="id_a id_b label split\n" + rows)
    assert kinds(data) == {("train", "other_split_values"): 1}
    data = read(test="id_a id_b label split\nP1 P2 1 test_fold\n")
    assert data.findings == ()


def test_select_rows_and_keep_used_proteins(read: Callable[..., Dataset]):
    data = read(train="id_a id_b label\nP3 P1 1\nP1 P2 0\n")
    chosen = select_rows(data.parts["train"], np.array([False, True]))
    assert (chosen.lines.tolist(), chosen.labels, chosen.masks) == ([3], ("0",), None)
    smaller = keep_used_proteins(Dataset(data.proteins, {"train": chosen}, ()))
    assert smaller.proteins == Proteins(("P1", "P2"), ("MA", "MB"))
    assert smaller.parts["train"].members.tolist() == [[0, 1]]


def read_data(name: str, level: Level, **options: Any):
    chosen = TableOptions(**options)
    table = read_table(DATA / name, chosen, level=level, needs_labels=True)
    return read_dataset(split_by_column(table, column=chosen.split_column), chosen, level=level)


@needs_data
def test_yeast():
    data = read_data(
        "ppi_yeast/du_0_to_1.tsv", "pair", sequences=DATA / "ppi_yeast/sequences.fasta"
    )
    assert {part: len(rows) for part, rows in data.parts.items()} == {
        "train": 14_468,
        "test": 4_842,
    }
    counts = kinds(data)
    # the README of the data counts by id; one sequence under two ids does not occur in a pair here
    assert (counts["train", "self_pairs"], counts["test", "self_pairs"]) == (187, 131)
    assert counts["train", "contradictory_labels"] == 16
    assert counts["test", "contradictory_labels"] == 2
    assert counts["train", "repeated_examples"] == counts["train", "swapped_repeats"] == 12
    assert len(data.proteins) == 2_317 + 1_582
    assert data.parts["train"].counted.sum() == 14_468 - 187 - 12


@needs_data
def test_the_gold_standard():
    folder = DATA / "ppi_gold"
    options = TableOptions(sequences=folder / "sequences.fasta")
    files = {"train": "train.tsv", "validation": "valid.tsv", "test": "test.tsv"}
    tables = {
        part: read_table(folder / name, options, level="pair", needs_labels=True)
        for part, name in files.items()
    }
    data = read_dataset(tables, options, level="pair")
    sizes = {part: len(rows) for part, rows in data.parts.items()}
    assert sizes == {"train": 163_192, "validation": 59_260, "test": 52_048}
    assert len(data.proteins) == 11_019
    assert data.findings == ()


@needs_data
@pytest.mark.parametrize(
    ("name", "level", "options", "sizes"),
    [
        ("symmetry/symmetry.tsv", "sequence", {}, (7_612, 1_733, 1_775)),
        (
            "tasks/gb1/data.tsv.xz",
            "sequence",
            {"label_column": "target", "split_column": "three_vs_rest"},
            (2_691, 299, 5_743),
        ),
        ("tasks/secondary_structure/data.tsv.xz", "residue", {}, (9_712, 1_080, 364)),
    ],
)
def test_single_sequences_of_the_field(
    name: str, level: Level, options: dict[str, Any], sizes: tuple[int, ...]
):
    data = read_data(name, level, **options)
    assert tuple(len(rows) for rows in data.parts.values()) == sizes
    assert tuple(data.parts) == ("train", "validation", "test")


@needs_data
def test_secondary_structure_has_a_label_and_a_mask_per_residue():
    data = read_data("tasks/secondary_structure/data.tsv.xz", "residue")
    rows = data.parts["test"]
    lengths = [len(data.proteins.sequences[member]) for member in rows.members[:, 0]]
    assert [len(label) for label in rows.labels or ()] == lengths
    assert [len(mask) for mask in rows.masks or ()] == lengths


@needs_data
def test_symmetry_renames_five_ids():
    data = read_data("symmetry/symmetry.tsv", "sequence")
    assert kinds(data) == {("sequences", "renamed_ids"): 5}


def test_proteins_of_some_examples_are_renumbered(tmp_path: Path) -> None:
    dataset = read_training_data(small_config(tmp_path, "ppi", "head"), "pair")
    examples = dataset.parts["test"]
    proteins, members = member_proteins(examples, dataset.proteins)
    assert len(proteins) == 8
    before = np.array(dataset.proteins.sequences)[examples.members]
    assert (np.array(proteins.sequences)[members] == before).all()


def table_of(tmp_path: Path, text: str):
    path = tmp_path / "a.tsv"
    path.write_text(text)
    return read_table(path, TableOptions(), needs_labels=True)


@pytest.mark.parametrize(("level", "label"), [("sequence", "H"), ("residue", " H ")])
def test_only_labels_of_residues_keep_spaces_and_only_they_have_masks(
    tmp_path: Path, level: Level, label: str
):
    table = table_of(tmp_path, "sequence\tlabel\tmask\nMKV\t H \t011\n")
    examples = read_dataset({"test": table}, TableOptions(), level=level).parts["test"]
    assert examples.labels == (label,)
    assert examples.masks == (("011",) if level == "residue" else None)


def test_sequences_may_be_a_mapping(tmp_path: Path):
    table = table_of(tmp_path, "id\tlabel\nP1\tx\n")
    data = read_dataset({"a": table}, TableOptions(), level="sequence", sequences={"P1": "mk"})
    assert data.proteins.sequences == ("MK",)
    with pytest.raises(InputError, match="id P1 has no sequence in sequences"):
        read_dataset({"a": table}, TableOptions(), level="sequence", sequences={"P2": "MK"})


def test_ids_that_a_spreadsheet_would_compute_are_kept_and_counted(read: Callable[..., Any]):
    fasta = ">=1+1\nMA\n>@x\nMB\n>P-1\nMC\n"
    data = read("sequence", fasta, train="id\tlabel\n=1+1\t1\n@x\t0\nP-1\t0\n")
    assert data.proteins.ids == ("=1+1", "@x", "P-1")
    found = {finding.kind: finding for finding in data.findings}
    assert found["formula_like_ids"].examples == ("=1+1", "@x")


def test_ids_that_a_spreadsheet_made_dates_of_are_counted(tmp_path: Path) -> None:
    rows = [("2-Sep", "MKVLA", 1), ("SEPT3", "MKVLAG", 0), ("Mrz 01", "MKVLAGG", 0)]
    table = write_rows(tmp_path / "t.tsv", "id sequence label", rows)
    config = TrainConfig(train=table, out=tmp_path / "run")
    parts = {"train": read_table(table, config, level="sequence", needs_labels=True)}
    findings = read_dataset(parts, config, level="sequence").findings
    assert [(f.kind, f.examples) for f in findings] == [("ids_like_dates", ("2-Sep", "Mrz 01"))]
