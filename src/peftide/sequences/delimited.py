"""A CSV or TSV file comes in; its cells by column go out, as text."""

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from peftide.errors import InputError, raise_problems
from peftide.sequences.text_files import read_text
from peftide.types import IntArray

DELIMITERS = ("\t", ",", ";")
Row = tuple[int, list[str]]
"""First line of a row, and its cells."""


@dataclass(frozen=True)
class Grid:
    """All cells of a delimited file.

    Attributes
    ----------
    path
        The file.
    cells
        Cells below the header by column name, each of length B.
    lines
        Line on which each row begins, from 1. Shape (B,).
    """

    path: Path
    cells: dict[str, tuple[str, ...]]
    lines: IntArray


def read_grid(path: Path) -> Grid:
    """Cells of a CSV or TSV file with a header, without its blank lines.

    Raises
    ------
    InputError
        If the file is no table, has no rows, names a column twice, or has a row with too many or
        too few cells.
    """
    text = read_text(path)
    header_line = text.lstrip("\n").partition("\n")[0]
    if header_line.startswith(">"):
        raise InputError("this is a FASTA file", expected="a table with a header line", where=path)
    header, *rows = _parse(path, text, delimiter=_delimiter(header_line))
    names = _column_names(path, header)
    if not rows:
        raise InputError("the table has a header line but no rows", where=path)
    _check_widths(path, rows, width=len(names))
    lines, cells = zip(*rows, strict=True)
    columns = zip(*cells, strict=True)
    return Grid(path, dict(zip(names, columns, strict=True)), np.array(lines, dtype=np.int64))


def _delimiter(header_line: str) -> str:
    return next((found for found in DELIMITERS if found in header_line), ",")


def _parse(path: Path, text: str, *, delimiter: str) -> list[Row]:
    """First line and cells of each row that is not blank."""
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
            fix="Look for a quotation mark that is not closed, or stands inside a cell",
        ) from error
    return rows


def _column_names(path: Path, header: Row) -> list[str]:
    line, cells = header
    names = [name.strip() for name in cells]
    # spreadsheets and pandas write columns without a name; nobody can ask for those
    twice = [name for name, count in Counter(names).items() if name and count > 1]
    problems = [f"{path}:{line}: more than one column is named {name}" for name in twice]
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
    raise_problems(problems, fix="A cell with the separator in it needs quotation marks")
