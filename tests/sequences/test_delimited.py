"""From a file to its cells: separators, quotes, blank lines and row widths."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from peftide.errors import InputError
from peftide.sequences.delimited import (
    Grid,
    grid_from_frame,
    grid_from_rows,
    read_grid,
    rows_of,
)


@pytest.fixture
def grid(tmp_path: Path):
    def read(text: str):
        path = tmp_path / "a.csv"
        path.write_text(text)
        return read_grid(path, ("id", "label", "sequence"))

    return read


@pytest.mark.parametrize("separator", ["\t", ",", ";"])
def test_the_header_says_what_separates(grid: Callable[[str], Grid], separator: str):
    found = grid(f"id{separator}label\nP1{separator}001\n")
    assert found.cells == {"id": ("P1",), "label": ("001",)}


def test_tab_wins_over_comma_and_comma_over_semicolon(grid: Callable[[str], Grid]):
    assert grid("id\ta,b\nP1\t1,5\n").cells == {"id": ("P1",), "a,b": ("1,5",)}
    assert grid("id,a;b\nP1,1;5\n").cells == {"id": ("P1",), "a;b": ("1;5",)}


def test_one_column(grid: Callable[[str], Grid]):
    assert grid("sequence\nMKV\n").cells == {"sequence": ("MKV",)}


def test_nothing_is_guessed(grid: Callable[[str], Grid]):
    labels = ("NA", "1e3", "001", "", "None", "1.0")
    rows = "".join(f"x,{label}\n" for label in labels)
    assert grid(f"id,label\n{rows}").cells["label"] == labels


def test_lines_with_quoted_breaks_and_blank_lines(grid: Callable[[str], Grid]):
    found = grid('\nid,note,label\n\n"P,1","two\nlines",1\n,,\nP2,"say ""hi""",0\n')
    assert found.cells["id"] == ("P,1", "P2")
    assert found.cells["note"] == ("two\nlines", 'say "hi"')
    assert found.lines.tolist() == [4, 7]


def test_header_only(grid: Callable[[str], Grid]):
    with pytest.raises(InputError, match="a header line but no rows"):
        grid("id,label\n\n")


def test_column_named_twice(grid: Callable[[str], Grid]):
    with pytest.raises(InputError, match=r"a\.csv:1: more than one column is named id"):
        grid("id,label,id\n1,2,3\n")


def test_columns_without_a_name_are_let_be(grid: Callable[[str], Grid]):
    assert grid(",id,\n0,P1,x\n").cells["id"] == ("P1",)


def test_ragged_rows(grid: Callable[[str], Grid]):
    with pytest.raises(InputError) as caught:
        grid("id,label\nP1,1\nP2\nP3,1,2\n")
    assert "a.csv:3: the header has 2 cells and this row 1" in str(caught.value)
    assert "a.csv:4: the header has 2 cells and this row 3" in str(caught.value)


def test_row_names_of_r(grid: Callable[[str], Grid]):
    with pytest.raises(InputError, match=r"every row has 3 cells.*header of 2.*row\.names = FALSE"):
        grid("id,label\n1,P1,1\n2,P2,0\n")


@pytest.mark.parametrize("row", ['"P1,1', '"P1"x,1'])
def test_stray_quotation_mark(grid: Callable[[str], Grid], row: str):
    with pytest.raises(InputError, match=r"a\.csv:3: .*quotation mark"):
        grid(f"id,label\nP0,1\n{row}\nP2,1\n")


def test_a_separator_at_the_end_of_rows(grid: Callable[[str], Grid]):
    with pytest.raises(InputError, match="every row ends with a separator"):
        grid("id,label\nP1,1,\nP2,0,\n")


def test_a_header_in_the_middle_is_refused(grid: Callable[[str], Grid]):
    with pytest.raises(InputError, match=r"a\.csv:3: this row repeats the header.*end to end"):
        grid("id,label\nP1,1\nid, label\nP2,0\n")
    with pytest.raises(InputError, match=r"a\.csv:3: this row repeats the header"):
        grid("id,label\nP1,1\nlabel,id\n0,P2\n")
    with pytest.raises(InputError, match="DataFrame: row 2: this row repeats the header"):
        grid_from_frame(pd.DataFrame({"id": ["P1", "id"], "label": ["1", "label"]}))
    assert grid("id,label\nP1,label\n").cells["label"] == ("label",)


@pytest.mark.parametrize(
    "text", ["P1,MKVLAAGIVGLLLAQ,1\nP2,MKV,0\n", "0.5,MKV\n0.7,MKL\n", "P1;0.5\nP2;1\n"]
)
def test_a_table_without_a_header_is_named(grid: Callable[[str], Grid], text: str):
    with pytest.raises(InputError, match=r"a\.csv:1: the table has no header line"):
        grid(text)


@pytest.mark.parametrize("text", ["# made today\nid,label\nP1,1\n", "#id,label\nP1,1\n"])
def test_comments_are_refused(grid: Callable[[str], Grid], text: str):
    with pytest.raises(InputError, match=r"a\.csv:1: the first line begins with '#'"):
        grid(text)
    assert grid("#,id,label\n1,#P1,1\n").cells["id"] == ("#P1",)


@pytest.mark.parametrize("row", ["# half way", "#P2,1"])
def test_rows_that_are_comments_are_refused(grid: Callable[[str], Grid], row: str):
    with pytest.raises(InputError, match=r"a\.csv:3: the row begins with '#'"):
        grid(f"id,label\nP1,1\n{row}\nP3,0\n")
    assert grid("id,label\n#1,1\n#2,0\n").cells["id"] == ("#1", "#2")


def test_rows_with_another_separator_than_the_header(grid: Callable[[str], Grid]):
    with pytest.raises(InputError, match=r"this row 1(.|\n)*Separate the cells of rows as"):
        grid("id,label\nP1;1\nP2;0\n")


@pytest.mark.parametrize(
    ("text", "named"), [("<html><table>", "HTML"), ('{"id": 1}', "JSON"), ("[1, 2]", "JSON")]
)
def test_other_kinds_of_text_are_named(grid: Callable[[str], Grid], text: str, named: str):
    with pytest.raises(InputError, match=f"this looks like {named}"):
        grid(text)


def test_the_number_of_rows_is_logged(
    grid: Callable[[str], Grid], caplog: pytest.LogCaptureFixture
):
    with caplog.at_level("INFO"):
        grid("id;label\nP1;1\n\nP2;0\n")
    assert [record.getMessage().partition("a.csv")[2] for record in caplog.records] == [
        ": read 2 rows of 2 columns separated by semicolons"
    ]


def test_fasta_given_as_table(grid: Callable[[str], Grid]):
    with pytest.raises(InputError, match="this is a FASTA file; expected a table"):
        grid(">a\nMKV\n")


FRAME = pd.DataFrame(
    {
        "whole": [1, 2],
        "float": [1.0, 0.1],
        "short": np.array([0.1, 2.5], dtype=np.float32),
        "gap": [3, None],
        "text": ["a b", None],
        "flag": [True, False],
        "nullable": pd.array([1, None], dtype="Int64"),
        "kind": pd.Categorical(["x", "y"]),
        "mixed": ["NA", 1.5],
    }
)


def test_a_frame_has_the_cells_of_its_file(tmp_path: Path):
    FRAME.to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    assert grid_from_frame(FRAME).cells == read_grid(tmp_path / "a.tsv").cells


def test_rows_of_a_frame_are_numbered_by_position_and_none_is_left_out():
    frame = pd.DataFrame({"id": ["P1", None, "P3"]}, index=[7, 7, 7])
    found = grid_from_frame(frame)
    assert found.cells == {"id": ("P1", "", "P3")}
    assert found.lines.tolist() == [1, 2, 3]


def test_a_frame_without_rows_or_with_a_column_twice():
    with pytest.raises(InputError, match="DataFrame: the table has no rows"):
        grid_from_frame(FRAME.head(0))
    with pytest.raises(InputError, match="DataFrame: more than one column is named whole"):
        grid_from_frame(pd.concat([FRAME[["whole"]], FRAME[["whole"]]], axis=1))


def test_lists():
    assert grid_from_rows(["MK", "MV"], ["sequence"]).cells == {"sequence": ("MK", "MV")}
    with pytest.raises(InputError, match=r"list: row 2: received \('MK',\), expected 2 texts"):
        grid_from_rows([("MK", "MV"), ("MK",)], ["a", "b"])
    with pytest.raises(InputError, match="list: row 1: received 'MK', expected 2 texts"):
        grid_from_rows(["MK"], ["a", "b"])
    with pytest.raises(InputError, match="list: there are no rows"):
        grid_from_rows([], ["sequence"])


@pytest.mark.parametrize(
    ("rows", "names"),
    [([None], "s"), (["MKV", 3], "s"), ([("MKV", None)], "ab"), ([["MKV", 2.5]], "ab")],
)
def test_cells_of_a_list_are_texts(rows: list[Any], names: str):
    with pytest.raises(InputError, match="list: row [12]: received"):
        grid_from_rows(rows, list(names))


@pytest.mark.parametrize("source", [{"P1": "MKV"}, 7])
def test_a_mapping_or_a_number_has_no_rows(source: Any):
    with pytest.raises(InputError, match=f"a {type(source).__name__} as rows"):
        rows_of(source)


def test_any_iterable_has_rows():
    assert rows_of(text for text in ("MKV", "MK")) == ["MKV", "MK"]


def test_lists_and_arrays_in_a_frame_become_text_whole():
    cells = [["a", "b"], np.arange(2000), {"b", "a"}, (), "x", None]
    frame = pd.DataFrame({"id": [*"123456"], "label": pd.Series(cells, dtype=object)})
    texts = grid_from_frame(frame).cells["label"]
    assert texts[0] == texts[2] == '["a", "b"]'
    assert texts[1].count(",") == 1999
    assert texts[3:] == ("[]", "x", "")


def test_a_title_above_the_header_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("My data\nid,label,split\nP1,1,train\nP2,0,train\n")
    with pytest.raises(
        InputError, match="every row has 3 cells below a first line of one"
    ) as caught:
        read_grid(path, ["id", "label"])
    assert "Remove the lines above the names, such as a title" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "| id | label |\n|----|:-----:|\n| a | 1 |\n",
        " id | label \n----+-------\n a  | 1 \n",
        "+----+-------+\n| id | label |\n+----+-------+\n| a | 1 |\n",
        "id label\n---- -----\na 1\n",
    ],
)
def test_a_rule_below_or_above_the_header_is_named(grid: Callable[[str], Grid], text: str):
    line = 1 if text.startswith("+") else 2
    with pytest.raises(InputError, match=rf"a\.csv:{line}: the line .* is a rule.* as CSV or TSV"):
        grid(text)


def test_dashes_in_rows_are_no_rule(grid: Callable[[str], Grid]):
    assert grid("id,label\na---b,1\n---,0\n").cells["id"] == ("a---b", "---")


@pytest.mark.parametrize(
    ("rows", "advice"),
    [
        (["1,a,0.5", "2,b,0.7"], r"number the rows: leave them out \(in R: row.names = FALSE\)"),
        (['"1",a,0.5', '"2",b,0.7'], r"number the rows"),
        (["a,0,5", "b,-12,75"], r"If 0,5 \(line 2\) is one number with a decimal comma"),
        (["x,a,0.5", "y,b,0.7"], r"if the first cells are the names of rows that R wrote"),
    ],
)
def test_the_reason_for_one_more_cell_in_every_row(
    grid: Callable[[str], Grid], rows: list[str], advice: str
):
    with pytest.raises(InputError, match=f"every row has 3 cells below a header of 2. .*{advice}"):
        grid("\n".join(["id,label", *rows]))


def test_decimal_commas_in_some_rows_are_suspected(grid: Callable[[str], Grid]):
    with pytest.raises(InputError, match=r"If 1,25 \(line 3\) is one number with a decimal comma"):
        grid("id,label\na,3\nb,1,25\nc,2,5\n")


def test_names_of_rows_that_r_writes_between_blanks_are_named(grid: Callable[[str], Grid]):
    with pytest.raises(InputError, match=r"every row has 3 cells below a header of 2.*number the"):
        grid('"id" "label"\n"1" "a" 0.5\n"2" "b" 0.7\n')
