"""A CSV or TSV file, a DataFrame or a list comes in; its cells go out as text by column."""

import contextlib
import logging
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from peftide.errors import InputError, Problems, cropped, raise_problems
from peftide.quantities import count_of
from peftide.sequences.cells import QUOTE, Row, split_cells
from peftide.sequences.label_kinds import WHOLE, is_number
from peftide.sequences.label_lists import list_text
from peftide.sequences.records import FRAME, LIST, place
from peftide.sequences.text_files import read_text
from peftide.types import IntArray

logger = logging.getLogger(__name__)

RULE = re.compile(r"[\s|+:=-]*-{3,}[\s|+:=-]*")
"""A line below or above the names of columns, as in Markdown tables and listings of databases."""
HEADER_LINES, LONGEST_HEADER = 3, 10_000
"""Lines, and characters at most, in which such a line may stand."""
RESIDUES = re.compile(r"[A-Z]{15,}\*?")
OTHER_FILES = {
    ">": "this is a FASTA file",
    "<": "this looks like HTML or XML",
    "{": "this looks like JSON",
    "[": "this looks like JSON",
}
"""First character of a file that is no table, and what it is then."""


@dataclass(frozen=True)
class Grid:
    """All cells of a delimited file, a DataFrame or a list.

    Attributes
    ----------
    path
        The file; "DataFrame" or "list" if there is none.
    cells
        Cells below the header by column name, each of length B.
    lines
        Line on which each row begins, from 1; without a file, the row number, from 1. Shape (B,).
    """

    path: Path
    cells: dict[str, tuple[str, ...]]
    lines: IntArray


def read_grid(
    path: Path, wanted: Collection[str] = (), *, problems: Problems | None = None
) -> Grid:
    """Cells of a delimited file with a header, without its blank lines.

    Parameters
    ----------
    path
        The file.
    wanted
        Names of columns that the caller looks for; they decide what separates cells. Without them,
        it is the first separator in the header under which all rows have one width.
    problems
        As for `parse_grid`.

    Raises
    ------
    InputError
        If the file is not a table, has no header or no rows, has two columns of the same name,
        repeats its header, or has a row with too many or too few cells.
    """
    return parse_grid(path, read_text(path), wanted, problems=problems)


def parse_grid(
    path: Path, text: str, wanted: Collection[str], *, problems: Problems | None = None
) -> Grid:
    """Cells of the text of a delimited file; see `read_grid`.

    Parameters
    ----------
    problems
        Gets the rows with too many or too few cells, which are then left out, unless most rows
        are so. None: they are raised.

    Raises
    ------
    InputError
        As `read_grid`.
    """
    text = without_comments(text)
    other = OTHER_FILES.get(text.lstrip()[:1])
    if other is not None:
        names = "id_a and id_b for pairs, else id or sequence"
        raise InputError(other, expected=f"a table with a header line ({names})", where=path)
    _refuse_rules(path, text)
    found = split_cells(path, text, wanted)
    (line, header), *rows = found.rows
    where = place(path, line)
    _check_header(where, [name.strip() for name in header], wanted)
    names = _column_names(where, header)
    if not rows:
        raise InputError("the table has a header line but no rows", where=path)
    _refuse_comments(path, rows)
    width = len(names)
    with contextlib.nullcontext() if problems is None else problems.collected():
        _check_widths(path, rows, width=width)
    fitting = [row for row in rows if len(row[1]) == width]
    if problems and 2 * len(fitting) < len(rows):
        problems.raise_all()  # the separator is wrong, or the header: cells would mislead
    rows = fitting
    lines, cells = zip(*rows, strict=True)
    columns = zip(*cells, strict=True)
    grid = Grid(path, dict(zip(names, columns, strict=True)), np.array(lines, dtype=np.int64))
    _refuse_repeated_header(grid)
    separated = f" separated by {found.separated_by}" if len(names) > 1 else ""
    logger.info(
        "%s: read %s of %s%s",
        path,
        count_of(len(found.rows) - 1, "row"),
        count_of(len(names), "column"),
        separated,
    )
    return grid


def grid_from_frame(frame: pd.DataFrame) -> Grid:
    """Cells of a DataFrame as `frame.to_csv` writes them: missing values are empty cells.

    Rows are numbered by position from 1; the index is not read. No row is left out.

    Raises
    ------
    InputError
        If the DataFrame has no rows, or two columns of the same name.

    Examples
    --------
    >>> frame = pd.DataFrame({"id": ["P1", "P2"], "label": [1.0, None]})
    >>> grid_from_frame(frame).cells
    {'id': ('P1', 'P2'), 'label': ('1.0', '')}
    """
    names = _column_names(str(FRAME), [str(name) for name in frame.columns])
    columns = [_as_text(frame.iloc[:, number]) for number in range(len(names))]
    if not len(frame):
        raise InputError("the table has no rows", where=FRAME)
    rows = np.arange(1, len(frame) + 1, dtype=np.int64)
    grid = Grid(FRAME, dict(zip(names, columns, strict=True)), rows)
    _refuse_repeated_header(grid)
    return grid


def grid_from_rows(rows: Sequence[Any], names: Sequence[str]) -> Grid:
    """Cells of a list of texts (one column) or of a list of pairs of texts (two columns).

    Parameters
    ----------
    rows
        Texts, or pairs of texts.
    names
        Names of the columns: one for texts, two for pairs.

    Raises
    ------
    InputError
        If there are no rows, or the number of texts in a row differs from the number of columns.

    Examples
    --------
    >>> grid_from_rows([("MKV", "MKL")], ["sequence_a", "sequence_b"]).cells
    {'sequence_a': ('MKV',), 'sequence_b': ('MKL',)}
    """
    if not len(rows):
        raise InputError("there are no rows", where=LIST)
    table = [(row,) if is_single(row) else tuple(row) for row in rows]
    expected = "one text" if len(names) == 1 else f"{len(names)} texts"
    raise_problems(
        [
            f"{place(LIST, number)}: received {rows[number - 1]!r}, expected {expected}"
            for number, row in enumerate(table, start=1)
            if len(row) != len(names) or not all(isinstance(cell, str) for cell in row)
        ]
    )
    columns = zip(*table, strict=True)
    return Grid(LIST, dict(zip(names, columns, strict=True)), np.arange(1, len(table) + 1))


def rows_of(source: Any) -> list[Any]:
    """Return the items of a list, a Series or another iterable.

    Raises
    ------
    InputError
        If it is a mapping, whose items are only its keys, or no iterable.
    """
    if isinstance(source, Mapping) or not isinstance(source, Iterable):
        raise InputError(
            f"a {type(source).__name__} as rows",
            expected="a file, a DataFrame, a Series, a list of texts or a list of pairs of texts",
            fix="For a mapping from id to sequence: pandas.Series(mapping)",
        )
    return list(source)


def is_single(row: Any) -> bool:
    """Return whether a row of a list is one cell, not a pair."""
    return isinstance(row, str) or not isinstance(row, Iterable)


def _as_text(column: pd.Series) -> tuple[str, ...]:
    absent = column.isna().to_numpy(dtype=bool)
    if column.dtype == object:
        column = column.map(list_text)
    texts = column.astype(str).to_numpy(dtype=object)
    return tuple(np.where(absent, "", texts).tolist())


def _check_header(where: str, names: Sequence[str], wanted: Collection[str]) -> None:
    """Refuse a first line that is no header.

    Raises
    ------
    InputError
        If it is a comment, or looks like a row of data.
    """
    marked = names[0].startswith("#")
    hidden = names[0].lstrip("# ") in wanted
    if marked and (hidden or not set(names) & set(wanted)):
        raise InputError(
            "the first line begins with '#'",
            expected="a header line with the names of the columns",
            where=where,
            fix="Remove the '#'"
            if hidden
            else "Remove the '#' if this line names the columns, else the line",
        )
    if not wanted or set(names) & set(wanted):
        return
    data = next((name for name in names if is_number(name) or RESIDUES.fullmatch(name)), None)
    if data is not None:
        raise InputError(
            f"the table has no header line: its first line looks like a row ({data[:30]})",
            expected=f"a first line with the names of the columns ({', '.join(wanted)})",
            where=where,
        )


def _refuse_rules(path: Path, text: str) -> None:
    """Refuse a table with a line of dashes above or below its header.

    Raises
    ------
    InputError
        Naming the line.
    """
    start = text[:LONGEST_HEADER].lstrip("\n").split("\n", HEADER_LINES)[:HEADER_LINES]
    rule = next((line for line in start if RULE.fullmatch(line)), None)
    if rule is not None:
        raise InputError(
            f"the line {cropped(rule.strip(), 30)!r} is a rule, as in a Markdown table or in the "
            "listing of a database",
            expected="a header line and rows with the same separator between their cells",
            where=f"{path}:{text[: text.index(rule)].count(chr(10)) + 1}",
            fix="Save the table as CSV or TSV",
        )


def _refuse_comments(path: Path, rows: Sequence[Row]) -> None:
    """Refuse rows that begin with `#`, unless all do: peftide knows no comments.

    Raises
    ------
    InputError
        Naming the lines.
    """
    marked = [line for line, cells in rows if cells[0].lstrip().startswith("#")]
    if len(marked) < len(rows):
        raise_problems(
            [f"{path}:{line}: the row begins with '#'" for line in marked],
            fix="Remove comments; ids begin with another character, or every id with '#'",
        )


def _refuse_repeated_header(grid: Grid) -> None:
    """Refuse rows whose cells are the names of the columns: files put end to end.

    Raises
    ------
    InputError
        Naming the lines.
    """
    names = set(grid.cells) - {""}
    first, *others = grid.cells.values()
    suspects = [row for row, cell in enumerate(first) if cell.strip() in names]
    raise_problems(
        [
            f"{place(grid.path, int(grid.lines[row]))}: this row repeats the header"
            for row in suspects
            if all(column[row].strip() in names for column in others)
        ],
        fix="Remove it. Were several tables put end to end?",
    )


def _column_names(where: str, header: Sequence[str]) -> list[str]:
    names = [name.strip() for name in header]
    # spreadsheets and pandas write columns without a name, which no option can select
    twice = [name for name, count in Counter(names).items() if name and count > 1]
    problems = [f"{where}: more than one column is named {name}" for name in twice]
    raise_problems(problems, fix="Rename or remove one")
    return names


def _check_widths(path: Path, rows: list[Row], *, width: int) -> None:
    if all(len(cells) == width + 1 and not cells[-1].strip() for _, cells in rows):
        raise InputError(
            "every row ends with a separator, but the header does not",
            where=path,
            fix="Remove the separator at the end of the rows, or add one to the header",
        )
    if all(len(cells) == width + 1 for _, cells in rows):
        raise InputError(
            f"every row has {width + 1} cells below a header of {width}",
            where=path,
            fix=_advice_on_one_more(rows),
        )
    first = len(rows[0][1])
    if width == 1 and first > 1 and all(len(cells) == first for _, cells in rows):
        raise InputError(
            f"every row has {first} cells below a first line of one",
            expected="a first line with the names of the columns",
            where=path,
            fix="Remove the lines above the names, such as a title",
        )
    problems = [
        f"{path}:{line}: the header has {width} cells and this row {len(cells)}"
        for line, cells in rows
        if len(cells) != width
    ]
    fix = "Put quotation marks around cells that contain the separator"
    if all(len(cells) < width for _, cells in rows):
        fix = "Separate the cells of rows as in the header, and leave none out"
    if decimals := _decimals([row for row in rows if len(row[1]) > width]):
        fix = f"{decimals}, or put quotation marks around cells that contain the separator"
    raise_problems(problems, fix=fix)


def _advice_on_one_more(rows: list[Row]) -> str:
    """Say what the additional cell of every row may be: a number of the row, or half a number."""
    first = [cells[0].strip().strip(QUOTE) for _, cells in rows]
    if first == [str(number) for number in range(1, len(rows) + 1)]:
        return "The first cells number the rows: leave them out (in R: row.names = FALSE)"
    if decimals := _decimals(rows):
        return decimals
    return (
        "Leave the additional cell out, or name its column; if the first cells are the names of "
        "rows that R wrote, use row.names = FALSE"
    )


def _decimals(rows: list[Row]) -> str:
    """Return advice on two cells of digits, in every row, that may be one number with a comma."""
    if not rows:
        return ""
    width = min(len(cells) for _, cells in rows)
    for left in range(width - 1):
        halves = [(cells[left].strip(), cells[left + 1].strip()) for _, cells in rows]
        if all(WHOLE.fullmatch(a) and b.isdecimal() for a, b in halves):
            return (
                f"If {','.join(halves[0])} (line {rows[0][0]}) is one number with a decimal comma, "
                "write it with a point"
            )
    return ""


def without_comments(text: str) -> str:
    r"""Return a text in which the comment lines at its beginning are empty.

    Only the exports of MAVE-DB have such lines, so the header below them must name HGVS columns.

    Examples
    --------
    >>> without_comments("# Accession: urn:mavedb:1\nhgvs_pro,score\n")
    '\nhgvs_pro,score\n'
    """
    if not text.startswith("#"):
        return text
    lines = text.split("\n")
    first = next((n for n, line in enumerate(lines) if not line.startswith("#")), 0)
    return "\n".join([""] * first + lines[first:]) if "hgvs_" in lines[first] else text
