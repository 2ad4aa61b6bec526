"""From text to cells: the separator, quotation marks, and the lines of rows."""

import csv
import io
import time
from pathlib import Path

import pytest

from peftide.errors import InputError
from peftide.sequences.cells import split_cells

PATH = Path("a.tsv")
WANTED = ("id", "sequence", "label", "split")


def rows(text: str, wanted: tuple[str, ...] = WANTED) -> list[list[str]]:
    return [cells for _, cells in split_cells(PATH, text, wanted).rows]


def lines(text: str) -> list[int]:
    return [line for line, _ in split_cells(PATH, text, WANTED).rows]


@pytest.mark.parametrize("separator", ["\t", ",", ";", "|"])
def test_the_separator_is_the_one_under_which_columns_exist(separator: str):
    others = {"\t", ",", ";", "|"} - {separator}
    note = " ".join(sorted(others)).replace("\t", "") + "\N{EN SPACE}x"
    text = f"id{separator}note {note}{separator}label\nP1{separator}{note}{separator}1,5\n"
    if separator == ",":
        text = text.replace("1,5", "1.5").replace(note, f'"{note}"')
    found = split_cells(PATH, text, WANTED)
    assert found.separator == separator
    assert found.rows[1][1][0] == "P1"
    assert len(found.rows[1][1]) == 3


@pytest.mark.parametrize("header", ['id;sequence;"score (log10, M)"', "id;sequence;score (a,b)"])
def test_commas_in_a_header_with_semicolons(header: str):
    assert rows(f"{header}\nP1;MKV;1,5\n")[1] == ["P1", "MKV", "1,5"]


def test_blanks_are_the_last_resort():
    assert rows("id_a  id_b label\nP1 P2   1\n", ("id_a", "id_b", "label"))[1] == ["P1", "P2", "1"]
    assert rows("my sequence,the label,id\nMKV,1,a\n")[1] == ["MKV", "1", "a"]
    assert rows("sequence id\tlabel\nMKV LLA\t1\n")[1] == ["MKV LLA", "1"]


def test_without_a_wanted_column_the_rows_decide():
    assert rows("name,x;y;z\na,1;2;3\nb,1,1;2;3\n")[0] == ["name,x", "y", "z"]
    assert rows("name\n")[0] == ["name"]


@pytest.mark.parametrize("declared", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;;"])
def test_a_declared_separator_is_taken_and_lines_are_counted(declared: str):
    text = f"{declared}\nid;sequence;label\nP1;MKV;1\n"
    assert rows(text)[1] == ["P1", "MKV", "1"]
    assert lines(text) == [2, 3]


@pytest.mark.parametrize("separator", ["\t", "~"])
def test_any_separator_can_be_declared(separator: str):
    text = f"sep={separator}\nid{separator}label\nP1{separator}1\n"
    assert split_cells(PATH, text, WANTED).separator == separator


def test_blanks_behind_commas_belong_to_the_separator():
    found = rows('"id", "sequence", "label"\n"P1", "MKV", " H "\nP2, MK, HH \n')
    assert found == [["id", "sequence", "label"], ["P1", "MKV", " H "], ["P2", "MK", "HH "]]
    assert rows("sequence,label\nMKV, H \n")[1] == ["MKV", " H "]


def test_with_tabs_a_quotation_mark_is_a_character():
    found = rows(
        'id\tlabel\tsplit\tname\nP1\t1\ttrain\t"Candidatus Foo\nP2\t0\ttrain\t5"-end and 3"\n'
        'P3\t0\ttest\tbar"\nP4\t"1"\ttest\t"say ""hi"""\nP5\t1\ttest\t"a" and "b"\n'
    )
    assert [cells[0] for cells in found] == ["id", "P1", "P2", "P3", "P4", "P5"]
    assert [cells[-1] for cells in found[1:]] == [
        '"Candidatus Foo',
        '5"-end and 3"',
        'bar"',
        'say "hi"',
        '"a" and "b"',
    ]
    assert found[4][1] == "1"


def test_with_tabs_a_quoted_cell_may_enclose_tabs_and_lines_where_that_makes_rows_even():
    text = 'id\tnote\tlabel\nP1\t"a\tb"\t1\nP2\t"two\nlines"\t0\nP3\tx\t1\n'
    assert rows(text)[1:] == [["P1", "a\tb", "1"], ["P2", "two\nlines", "0"], ["P3", "x", "1"]]
    assert lines(text) == [1, 2, 3, 5]


def test_quoted_cells_of_several_lines():
    text = 'id,note,label\n"P,1","two\n\nlines ""x""",1\n\nP2,"y",0\n'
    assert rows(text)[1:] == [["P,1", 'two\n\nlines "x"', "1"], ["P2", "y", "0"]]
    assert lines(text) == [1, 2, 6]


def test_a_header_of_several_lines():
    text = 'id;"score\n(log10, M)";label\nP1;2;1\n'
    assert rows(text) == [["id", "score\n(log10, M)", "label"], ["P1", "2", "1"]]
    assert lines(text) == [1, 3]


def test_with_commas_a_quoted_cell_that_could_be_several_rows_is_refused():
    text = 'id,sequence,label,name\nP1,MKV,1,"Foo\nP2,MKL,0,x\nP3,MKI,1,bar"\nP4,MKA,0,x\n'
    with pytest.raises(InputError, match=r"a\.tsv:2: .*until line 4"):
        rows(text)


@pytest.mark.parametrize("row", ['"P1,1', '"P1"x,1', 'P1,"1'])
def test_with_commas_a_stray_quotation_mark_is_refused(row: str):
    with pytest.raises(InputError, match=r"a\.tsv:3: .*quotation mark"):
        rows(f"id,label\nP0,1\n{row}\nP2,1\n")


def test_quotation_marks_inside_cells_are_characters():
    assert rows('id,label\nP1,5" and 3"\n')[1] == ["P1", '5" and 3"']


@pytest.mark.parametrize("separator", ["\t", ","])
def test_cells_of_any_length_without_a_change_of_the_process(separator: str):
    limit = csv.field_size_limit()
    long = "MKVLA" * 60_000
    text = f'id{separator}sequence\nP1{separator}{long}\n"P2"{separator}"{long}"\n'
    assert [len(cells[1]) for _, cells in split_cells(PATH, text, WANTED).rows[1:]] == [300_000] * 2
    assert csv.field_size_limit() == limit


def test_an_open_quotation_mark_takes_linear_time():
    text = 'id,label\n"P1,1\n' + "P2,1\n" * 100_000
    start = time.process_time()
    with pytest.raises(InputError, match="not closed"):
        rows(text)
    assert time.process_time() - start < 10


def test_well_formed_files_are_read_as_the_csv_module_reads_them():
    table = [["id", "note", "label"], ["P1", 'a,"b"', ""], ["P2", "x\ny", " z"], ["P3", "", "'"]]
    for delimiter in ",;|":
        buffer = io.StringIO()
        csv.writer(buffer, delimiter=delimiter, lineterminator="\n").writerows(table)
        assert rows(buffer.getvalue()) == table


def test_a_declared_tab_may_be_escaped() -> None:
    found = split_cells(Path("a.tsv"), "sep=\\t\nid\tlabel\nP1\t1\n", ["label"])
    assert found.rows == [(2, ["id", "label"]), (3, ["P1", "1"])]


def test_a_declared_separator_that_the_header_lacks_is_named() -> None:
    with pytest.raises(InputError, match="a.csv: sep=; is declared, but the header does not have"):
        split_cells(Path("a.csv"), "sep=;\nid,label\nP1,1\n", ["label"])
    one_column = split_cells(Path("a.csv"), "sep=;\nsequence\nMKV\n", ["sequence"])
    assert one_column.rows == [(2, ["sequence"]), (3, ["MKV"])]


R_TABLE = ['"id" "label"', '"a 1" "cell wall"', '"b" "1"']


def test_blanks_separate_quoted_cells(tmp_path: Path) -> None:
    cells = split_cells(tmp_path / "a.txt", "\n".join(R_TABLE), ("id", "label"))
    assert cells.separated_by == "blanks"
    assert [row for _, row in cells.rows] == [["id", "label"], ["a 1", "cell wall"], ["b", "1"]]


def test_unknown_columns_between_blanks_are_columns(tmp_path: Path) -> None:
    text = "protein1 protein2 combined_score\na b 900\na c 150\n"
    assert split_cells(tmp_path / "a.txt", text, ("id", "label")).rows[0][1][1] == "protein2"
