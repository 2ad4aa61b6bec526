from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from peftide.config import TableOptions
from peftide.errors import InputError
from peftide.sequences.columns import choose_columns, column_names, has_pairs
from peftide.sequences.delimited import Grid, grid_from_rows
from peftide.sequences.tables import read_table
from tests.conftest import write_rows

PAIR = grid_from_rows([("a", "b")], ["id_a", "id_b"])
SINGLE = grid_from_rows(["MKV"], ["sequence"])


def test_the_header_decides_what_a_row_names() -> None:
    assert has_pairs(PAIR, TableOptions())
    assert not has_pairs(SINGLE, TableOptions())
    chosen = choose_columns(PAIR, TableOptions(), pair=True, needs_labels=False)
    assert (chosen.ids, chosen.sequences, chosen.label) == (("id_a", "id_b"), (), ())


@pytest.mark.parametrize(
    ("grid", "pair", "option"),
    [
        (PAIR, True, "id_column"),
        (PAIR, True, "cluster_column"),
        (PAIR, True, "mask_column"),
        (SINGLE, False, "id_a_column"),
        (SINGLE, False, "sequence_b_column"),
    ],
)
def test_a_named_column_that_such_a_table_does_not_have_is_refused(
    grid: Grid, pair: bool, option: str
) -> None:
    flag = f"--{option.replace('_', '-')}"
    options = replace(TableOptions(), **{option: "name"})
    with pytest.raises(InputError, match=f"^{flag}: a table of .* does not read it"):
        choose_columns(grid, options, pair=pair, needs_labels=False)


def test_a_fasta_file_has_no_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.fasta"
    path.write_text(">a\nMKV\n")
    with pytest.raises(InputError, match="--id-column: a FASTA file does not read it"):
        read_table(path, TableOptions(id_column="x"), level="sequence", needs_labels=False)


@pytest.mark.parametrize("change", [{"mutant_column": "x"}, {"offset": 3}])
def test_options_of_mutants_are_refused_for_other_tables(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    path = write_rows(tmp_path / "t.tsv", "sequence label", [("MKV", 1)])
    with pytest.raises(InputError, match="a table without mutants does not read it"):
        read_table(path, TableOptions(**change), needs_labels=True)


def test_all_names_of_columns_are_looked_for() -> None:
    assert {"id", "sequence_b", "label", "mutant"} <= set(column_names(TableOptions()))
