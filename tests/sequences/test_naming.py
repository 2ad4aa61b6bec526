"""Ids that are made, and ids that come again with another sequence."""

from pathlib import Path
from typing import Any

import numpy as np

from peftide.sequences.naming import name_rows
from peftide.sequences.tables import Table, TextArray


def cells(column: TextArray | None) -> list[Any]:
    assert column is not None
    return column.tolist()


def make_table(sequences: list[list[str]], ids: list[list[str]] | None = None, path: str = "a.tsv"):
    return Table(
        Path(path),
        (),
        np.arange(2, 2 + len(sequences)),
        ids=None if ids is None else np.array(ids, dtype=object),
        sequences=np.array(sequences, dtype=object),
    )


def names(tables: dict[str, Table]):
    return {part: cells(table.ids) for part, table in tables.items()}


def test_rows_of_one_file_are_called_by_line():
    table = make_table([["MA"], ["MB"]])
    parts = {"train": table.select(np.array([0])), "test": table.select(np.array([1]))}
    named, findings = name_rows(parts, level="sequence", strict=False)
    assert names(named) == {"train": [["row_2"]], "test": [["row_3"]]}
    assert findings == ()


def test_rows_of_several_files_are_called_by_part_too():
    parts = {"train": make_table([["MA"]]), "test": make_table([["MB"]], path="b.tsv")}
    named, _ = name_rows(parts, level="residue", strict=False)
    assert names(named) == {"train": [["train_row_2"]], "test": [["test_row_2"]]}


def test_equal_sequences_of_pairs_have_one_name_in_all_parts():
    parts = {
        "train": make_table([["MA", "MB"], ["MB", "MB"]]),
        "test": make_table([["MC", "MA"]], path="b.tsv"),
    }
    named, _ = name_rows(parts, level="pair", strict=False)
    assert names(named) == {
        "train": [["seq_1", "seq_2"], ["seq_2", "seq_2"]],
        "test": [["seq_3", "seq_1"]],
    }


def test_an_id_with_another_sequence_gets_its_line():
    table = make_table([["MA"], ["MB"], ["MA"]], ids=[["1EME"], ["1EME"], ["1EME"]])
    named, findings = name_rows({"train": table}, level="sequence", strict=False)
    assert names(named) == {"train": [["1EME"], ["1EME_row_3"], ["1EME"]]}
    (finding,) = findings
    assert (finding.kind, finding.count) == ("renamed_ids", 1)
    assert finding.examples == ("a.tsv:3 1EME_row_3",)


def test_strict_renames_nothing():
    table = make_table([["MA"], ["MB"]], ids=[["1EME"], ["1EME"]])
    named, findings = name_rows({"train": table}, level="sequence", strict=True)
    assert names(named) == {"train": [["1EME"], ["1EME"]]}
    assert findings == ()
