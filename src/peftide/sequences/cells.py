"""The text of a delimited file comes in; the separator and the rows of cells go out.

The separator is the one under which the header has the wanted columns. A quotation mark that opens
a cell may enclose separators and line breaks. In a file with tabs it is a character unless the
cell begins and ends with one, or the rows have one width only with enclosed line breaks.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from peftide.errors import InputError

WORDS = ""
"""Separator of columns that are separated by any number of blanks."""
SEPARATORS = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "vertical bars"}
BESIDE = {WORDS: "blanks", " ": "single blanks"}
DECLARED = re.compile(r'"?sep=(\\t|[^"])"?\1*\s*', re.IGNORECASE)
QUOTE = '"'
WORD = re.compile(r'"(?:[^"]|"")*"(?!\S)|\S+')
"""A cell between blanks; a quoted one may hold blanks."""

Row = tuple[int, list[str]]
"""First line of a row, and its cells."""


@dataclass(frozen=True)
class Cells:
    """Rows of a delimited file; the first one is the header, and blank ones are left out."""

    separator: str
    rows: list[Row]

    @property
    def separated_by(self) -> str:
        """The separator in words."""
        names = SEPARATORS | BESIDE
        return names.get(self.separator, repr(self.separator))


def split_cells(path: Path, text: str, wanted: Collection[str]) -> Cells:
    """Split a text with at least one line that is not blank into cells.

    A first line `sep=;` declares the separator, as spreadsheets write it.

    Parameters
    ----------
    path
        The file, for messages.
    text
        The text, with Unix line ends.
    wanted
        Names of columns that the caller looks for.

    Raises
    ------
    InputError
        If a quotation mark is not closed, two readings of quotation marks are possible, or the
        header does not have the declared separator.
    """
    lines = text.split("\n")
    first = next(number for number, line in enumerate(lines) if line.strip())
    declared = DECLARED.fullmatch(lines[first])
    if declared is not None:
        lines[first] = ""
        first = next((n for n, line in enumerate(lines) if line.strip()), first)
    lines[:first] = [""] * first
    sheet = _Sheet(path, lines, first, frozenset(wanted))
    separator = sheet.find_separator()
    if declared is not None:
        separator = declared[1].replace("\\t", "\t")
        _refuse_other_separator(f"{path}: {declared[0].strip()}", lines[first], separator)
    return Cells(separator, sheet.rows(separator))


def _refuse_other_separator(declaration: str, header: str, separator: str) -> None:
    """Refuse a declared separator that the header does not have, if it has another one."""
    if separator in header or not any(mark in header for mark in SEPARATORS):
        return
    raise InputError(
        f"{declaration} is declared, but the header does not have this separator",
        fix="Correct or remove the first line",
    )


class _QuoteError(Exception):
    """A quotation mark is not closed, or is followed by text."""


@dataclass
class _Reader:
    """Lines of a file; a row takes one line, or more while a quoted cell is open."""

    lines: Sequence[str]
    next: int = 0

    def take(self) -> str:
        """Return the next line."""
        if self.next >= len(self.lines):
            raise _QuoteError("a quotation mark is not closed")
        self.next += 1
        return self.lines[self.next - 1]


@dataclass(frozen=True)
class _Dialect:
    """A separator, and the blank behind it that belongs to it."""

    separator: str
    pad: str = ""

    @property
    def takes_quotes_as_characters(self) -> bool:
        """Whether quotation marks enclose nothing but whole cells."""
        return self.separator == "\t" or not self.separator.strip(" ")

    @property
    def blank(self) -> str:
        """Characters of a line whose cells are all empty."""
        return f"{self.separator}{QUOTE} \t"

    def plain(self, line: str) -> list[str]:
        """Cells of a line that is split at every separator."""
        if not self.separator and QUOTE in line:
            return list(map(_unquoted, WORD.findall(line)))
        cells = line.split(self.separator or None)
        if self.pad:
            cells = [cell.removeprefix(self.pad) for cell in cells]
        return list(map(_unquoted, cells)) if QUOTE in line else cells

    def quoted(self, reader: _Reader) -> list[str]:
        """Cells of the next row, in which quotation marks enclose separators and line breaks."""
        line, start, cells = reader.take(), 0, []
        while True:
            behind = _behind_blanks(line, start)
            if line.startswith(QUOTE, behind):
                cell, line, start = _enclosed(line, behind + 1, reader)
                end = line.find(self.separator, start)
                if line[start : end if end >= 0 else None].strip(" "):
                    raise _QuoteError("text follows a quotation mark that closes a cell")
            else:
                end = line.find(self.separator, start)
                cell = line[start : end if end >= 0 else None].removeprefix(self.pad)
            cells.append(cell)
            if end < 0:
                return cells
            start = end + len(self.separator)

    def one_line(self, line: str) -> list[str]:
        """Cells of a line, whatever the quotation marks of other lines."""
        try:
            return self.quoted(_Reader([line]))
        except _QuoteError:
            return self.plain(line)


@dataclass(frozen=True)
class _Sheet:
    """Lines of a table, whose header begins at `first`."""

    path: Path
    lines: list[str]
    first: int
    wanted: frozenset[str]

    def find_separator(self) -> str:
        """Return the separator under which the header has the most wanted columns."""
        line = self.lines[self.first]
        found = {name: len(self.wanted & set(self.header(name))) for name in SEPARATORS}
        most = max(found.values())
        if most:
            likely = [name for name in SEPARATORS if found[name] == most]
        elif self._has_words():
            likely = [WORDS]
        else:
            likely = [name for name in SEPARATORS if name in line] or [","]
        if len(likely) == 1:
            return likely[0]
        even = [name for name in likely if _are_even(self.plain_rows(self.dialect(name)))]
        return (even or likely)[0]

    def _has_words(self) -> bool:
        """Return whether blanks separate cells; R writes no name above the names of rows."""
        names = self.header(WORDS)
        known = self.wanted & set(names) or not any(map(self.lines[self.first].count, SEPARATORS))
        if len(names) < 2 or not known:
            return False
        widths = {len(cells) for _, cells in self.plain_rows(_Dialect(WORDS))[1:]}
        return widths in ({len(names)}, {len(names) + 1})

    def header(self, separator: str) -> list[str]:
        """Return the names of the columns under a separator."""
        dialect, reader = _Dialect(separator), _Reader(self.lines, self.first)
        if dialect.takes_quotes_as_characters:
            return [name.strip() for name in dialect.plain(reader.take())]
        try:
            cells = dialect.quoted(reader)
        except _QuoteError:
            cells = dialect.plain(self.lines[self.first])
        return [name.strip() for name in cells]

    def dialect(self, separator: str) -> _Dialect:
        """Return the dialect: if the header has a blank behind every separator, so have rows."""
        pieces = self.lines[self.first].split(separator)[1:] if separator.strip() else []
        padded = bool(pieces) and all(piece.startswith(" ") for piece in pieces)
        return _Dialect(separator, " " if padded else "")

    def rows(self, separator: str) -> list[Row]:
        """Return the rows in which some cell is not blank."""
        dialect = self.dialect(separator)
        if not any(QUOTE in line for line in self.lines):
            return self.plain_rows(dialect)
        if not dialect.takes_quotes_as_characters:
            return self.quoted_rows(dialect)
        rows = self.plain_rows(dialect)
        if separator.strip(" ") and not _are_even(rows):
            try:
                quoted = self.quoted_rows(dialect)
            except InputError:
                return rows
            return quoted if _are_even(quoted) else rows
        return rows

    def plain_rows(self, dialect: _Dialect) -> list[Row]:
        """Return one row per line."""
        width, blank = len(dialect.plain(self.lines[self.first])), dialect.blank
        rows = []
        for number, line in enumerate(self.lines, start=1):
            if not line.strip(blank):
                continue
            cells = dialect.plain(line)
            if len(cells) != width and QUOTE in line and dialect.separator:
                cells = dialect.one_line(line)
            rows.append((number, cells))
        return rows

    def quoted_rows(self, dialect: _Dialect) -> list[Row]:
        """Return rows whose quoted cells may continue on the next line."""
        reader, rows = _Reader(self.lines, self.first), []
        while reader.next < len(self.lines):
            start = reader.next
            cells = self._row(dialect, reader)
            if reader.next > start + 1 and rows:
                self._refuse_ambiguous(dialect, start, reader.next, width=len(rows[0][1]))
            if reader.next > start + 1 or self.lines[start].strip(dialect.blank):
                rows.append((start + 1, cells))
        return rows

    def _row(self, dialect: _Dialect, reader: _Reader) -> list[str]:
        start = reader.next
        if QUOTE not in self.lines[start]:
            return dialect.plain(reader.take())
        try:
            return dialect.quoted(reader)
        except _QuoteError as error:
            raise InputError(
                f"cannot be split into cells ({error})",
                where=f"{self.path}:{start + 1}",
                fix="Look for a quotation mark that is not closed or is inside a cell",
            ) from error

    def _refuse_ambiguous(self, dialect: _Dialect, start: int, end: int, *, width: int) -> None:
        """Refuse a row of several lines if each of its lines is a row too."""
        if any(len(dialect.one_line(line)) != width for line in self.lines[start:end]):
            return
        raise InputError(
            f"a quoted cell continues until line {end}, but each of these lines has the "
            f"{width} cells of a row",
            where=f"{self.path}:{start + 1}",
            fix="Remove the quotation mark, close it in the same line, or remove the line breaks "
            "of the cell",
        )


def _are_even(rows: Sequence[Row]) -> bool:
    return len({len(cells) for _, cells in rows}) == 1


def _behind_blanks(line: str, start: int) -> int:
    while line.startswith(" ", start):
        start += 1
    return start


def _enclosed(line: str, start: int, reader: _Reader) -> tuple[str, str, int]:
    """Return a quoted cell, the line on which it ends, and the place behind its end."""
    pieces = []
    while (end := _closing(line, start)) < 0:
        pieces.append(line[start:])
        line, start = reader.take(), 0
    pieces.append(line[start:end])
    return "\n".join(pieces).replace(2 * QUOTE, QUOTE), line, end + 1


def _closing(line: str, start: int) -> int:
    """Return the place of the next quotation mark that is not doubled, or -1."""
    end = line.find(QUOTE, start)
    while end >= 0 and line.startswith(QUOTE, end + 1):
        end = line.find(QUOTE, end + 2)
    return end


def _unquoted(cell: str) -> str:
    """Return the content of a cell that begins and ends with a quotation mark."""
    if QUOTE not in cell:
        return cell
    text = cell.strip(" ")
    inside = text[1:-1].replace(2 * QUOTE, "")
    if len(text) > 1 and text[0] == text[-1] == QUOTE and QUOTE not in inside:
        return text[1:-1].replace(2 * QUOTE, QUOTE)
    return cell
