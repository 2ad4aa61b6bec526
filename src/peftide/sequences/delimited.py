"""A CSV or TSV file, a DataFrame or a list comes in; its cells go out as text by column."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from peftide.errors import InputError, raise_problems
from peftide.sequences.records import FRAME, LIST, place
from peftide.sequences.text_files import read_text
from peftide.types import IntArray

DELIMITERS = ("\t", ",", ";")
Row = tuple[int, list[str]]
"""First line of a row, and its cells."""


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


def read_grid(path: Path) -> Grid:
    """Cells of a CSV or TSV file with a header, without its blank lines.

    Raises
    ------
    InputError
        If the file is not a table, has no rows, has two columns of the same name, or has a row with
        too many or too few cells.
    """
    return parse_grid(path, read_text(path))


def parse_grid(path: Path, text: str) -> Grid:
    """Cells of the text of a CSV or TSV file; `path` is for messages.

    Raises
    ------
    InputError
        As `read_grid`.
    """
    header_line = text.lstrip("\n").partition("\n")[0]
    if header_line.startswith(">"):
        raise InputError("this is a FASTA file", expected="a table with a header line", where=path)
    (line, header), *rows = _parse(path, text, delimiter=_delimiter(header_line))
    names = _column_names(place(path, line), header)
    if not rows:
        raise InputError("the table has a header line but no rows", where=path)
    _check_widths(path, rows, width=len(names))
    lines, cells = zip(*rows, strict=True)
    columns = zip(*cells, strict=True)
    return Grid(path, dict(zip(names, columns, strict=True)), np.array(lines, dtype=np.int64))


def grid_from_frame(frame: pd.DataFrame) -> Grid:
    """Cells of a DataFrame as `frame.to_csv` writes them: missing values are empty cells.

    Rows are numbered by position from 1; the index is not read. Rows with only empty cells are
    left out, like blank lines of a file.

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
    filled = np.array([any(cells) for cells in zip(*columns, strict=True)], dtype=bool)
    if not filled.any():
        raise InputError("the table has no rows", where=FRAME)
    if not filled.all():
        rows = np.flatnonzero(filled)
        columns = [tuple(cells[row] for row in rows) for cells in columns]
    return Grid(FRAME, dict(zip(names, columns, strict=True)), np.flatnonzero(filled) + 1)


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
    """Return whether a row of a list is one cell, not a pair of them."""
    return isinstance(row, str) or not isinstance(row, Iterable)


def _as_text(column: pd.Series) -> tuple[str, ...]:
    absent = column.isna().to_numpy(dtype=bool)
    texts = column.astype(str).to_numpy(dtype=object)
    return tuple(np.where(absent, "", texts).tolist())


def _delimiter(header_line: str) -> str:
    return next((found for found in DELIMITERS if found in header_line), ",")


def _parse(path: Path, text: str, *, delimiter: str) -> list[Row]:
    """First line number and cells of each nonblank row."""
    rows, line = [], 1
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cells):
                rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"cannot be split into cells ({error})",
            where=f"{path}:{line}",
            fix="Look for a quotation mark that is not closed or is inside a cell",
        ) from error
    return rows


def _column_names(where: str, header: Sequence[str]) -> list[str]:
    names = [name.strip() for name in header]
    # spreadsheets and pandas write columns without a name, which no option can select
    twice = [name for name, count in Counter(names).items() if name and count > 1]
    problems = [f"{where}: more than one column is named {name}" for name in twice]
    raise_problems(problems, fix="Rename or remove one")
    return names


def _check_widths(path: Path, rows: list[Row], *, width: int) -> None:
    if all(len(cells) == width + 1 for _, cells in rows):
        raise InputError(
            f"every row has {width + 1} cells below a header of {width}",
            where=path,
            fix="If R wrote this, use row.names = FALSE",
        )
    problems = [
        f"{path}:{line}: the header has {width} cells and this row {len(cells)}"
        for line, cells in rows
        if len(cells) != width
    ]
    raise_problems(problems, fix="Put quotation marks around cells that contain the separator")
