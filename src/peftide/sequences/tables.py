"""A file, DataFrame or list comes in; the columns that peftide needs go out as text."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from peftide.config.options import RowOptions
from peftide.errors import Problems, raise_problems
from peftide.quantities import count_of
from peftide.sequences.columns import (
    PAIR_IDS,
    PAIR_SEQUENCES,
    SINGLE_ID,
    SINGLE_SEQUENCE,
    Columns,
    choose_columns,
    column_names,
    every_column,
    has_pairs,
    unread_columns,
)
from peftide.sequences.delimited import (
    Grid,
    grid_from_frame,
    grid_from_rows,
    is_single,
    parse_grid,
    rows_of,
)
from peftide.sequences.fasta import FastaRecords, parse_fasta
from peftide.sequences.label_lists import mask_text
from peftide.sequences.letters import SequenceCleaner
from peftide.sequences.missing import looks_missing
from peftide.sequences.records import Finding, WildType, place
from peftide.sequences.tallies import Tally
from peftide.sequences.text_files import read_text
from peftide.sequences.variant_tables import variants_in
from peftide.types import BoolArray, IntArray, Level

logger = logging.getLogger(__name__)

TextArray = NDArray[np.object_]
"""Array of Python strings."""

TableSource = str | Path | pd.DataFrame | pd.Series | Sequence[str] | Sequence[Sequence[str]]
"""All inputs that `read_table` can read."""


@dataclass(frozen=True, eq=False)
class Table:
    """The nonblank rows of a table, in file order; all cells are text.

    Attributes
    ----------
    path, columns
        File the rows were read from, or "DataFrame" or "list", and the names of all its columns.
    lines
        Line on which each row begins, from 1 (the header is line 1); for a DataFrame or list, the
        row number, from 1. Shape (B,).
    ids
        Ids as written in the table, or None. Shape (B, A).
    sequences
        Cleaned sequences, or None for a table that names proteins by id only. Shape (B, A).
    labels, splits, clusters, masks
        Text of these columns, or None if the column is missing. Shape (B,). Labels keep their
        spaces, which mean something in per-residue alphabets (DSSP: no structure).
    findings, variants_of
        Repairs of the sequences, and the wild type of a table of mutants.
    """

    path: Path
    columns: tuple[str, ...]
    lines: IntArray
    ids: TextArray | None = None
    sequences: TextArray | None = None
    labels: TextArray | None = None
    splits: TextArray | None = None
    clusters: TextArray | None = None
    masks: TextArray | None = None
    findings: tuple[Finding, ...] = ()
    variants_of: WildType | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lines)

    @property
    def has_pairs(self) -> bool:
        """Whether a row names two proteins."""
        named = self.sequences if self.ids is None else self.ids
        assert named is not None
        return named.shape[1] == 2

    def where(self, row: int) -> str:
        """Return the place of a row, for messages."""
        return place(self.path, int(self.lines[row]))

    def select(self, rows: IntArray | BoolArray) -> "Table":
        """Return the table with only these rows; `rows` are indices or a mask of shape (B,)."""
        per_row = ("lines", "ids", "sequences", "labels", "splits", "clusters", "masks")
        columns = {name: getattr(self, name) for name in per_row}
        return replace(self, **{k: v[rows] for k, v in columns.items() if v is not None})


def read_table(
    source: TableSource,
    columns: RowOptions,
    *,
    level: Level | None = None,
    needs_labels: bool,
    ids: bool = False,
    problems: Problems | None = None,
) -> Table:
    """Rows of a CSV or TSV file with a header, of a DataFrame, or of a list.

    The separator of a file (tab, comma, semicolon, vertical bar, or any blanks) is the one under
    which the header has the columns. All cells are text: a label `001` is not changed. Blank lines
    of a file are skipped. If labels are not needed, single sequences may also come from a FASTA
    file.

    Parameters
    ----------
    source
        File (plain, .gz or .xz), DataFrame with the same columns, list of sequences or of pairs of
        sequences, or Series of sequences (a text index gives their ids).
    columns
        Names of the columns.
    level
        Unit of a label, which decides the required columns. None: pairs if the table has the
        columns of both proteins, else single sequences.
    needs_labels
        Whether a missing label is an error. If not, labels are read if the column exists.
    ids
        Whether the texts of a list or Series are ids instead of sequences.
    problems
        Gets the problems of single rows; their cells are empty then. None: they are raised.

    Raises
    ------
    InputError
        If the source is not a table, a column is missing or occurs twice, a row has too many or
        too few cells, a required cell is empty, or a sequence has characters other than letters.
    """
    found = Problems() if problems is None else problems
    if isinstance(source, str | Path):
        path = Path(source)
        text = read_text(path)
        if text.lstrip().startswith(">") and level in ("sequence", "residue") and not needs_labels:
            raise_problems(unread_columns(columns, every_column(columns), said="a FASTA file"))
            return _table_from_fasta(parse_fasta(path, text), path)
        grid = parse_grid(path, text, column_names(columns), problems=found)
    else:
        grid = _grid_of(source, columns, ids=ids)
    table = None
    with found.collected():
        table = table_of(grid, columns, level=level, needs_labels=needs_labels, problems=found)
    if table is None or problems is None:
        found.raise_all()
    assert table is not None
    return table


def table_of(
    grid: Grid,
    columns: RowOptions,
    *,
    level: Level | None,
    needs_labels: bool,
    problems: Problems,
) -> Table:
    """Rows of a grid; see `read_table`.

    Raises
    ------
    InputError
        As `read_table`, for errors of the whole table.
    """
    variants = variants_in(grid, columns, level=level, needs_labels=needs_labels)
    grid = variants.grid
    pair = has_pairs(grid, columns) if level is None else level == "pair"
    chosen = choose_columns(grid, columns, pair=pair, needs_labels=needs_labels)
    cleaner = SequenceCleaner(grid.path)
    missing = Tally("missing_clusters", "cells read as empty: each sequence forms its own cluster")
    ids = _stacked([_stripped(grid.cells[name]) for name in chosen.ids])
    sequences = _clean_cells(grid, chosen, cleaner)
    empty = _empty_cells(grid, chosen.ids)
    if needs_labels:
        hint = "" if pair or level == "residue" else " (`none` is an empty set of classes)"
        empty += _empty_cells(grid, chosen.label, hint=hint)
    problems.found += cleaner.problems + empty
    return Table(
        path=grid.path,
        columns=tuple(grid.cells),
        lines=grid.lines,
        ids=ids,
        sequences=sequences,
        labels=_single([grid.cells[name] for name in chosen.label]),
        splits=_single([_stripped(grid.cells[name]) for name in chosen.split]),
        clusters=_single([_cluster_cells(grid, name, missing) for name in chosen.cluster]),
        masks=_single([list(map(mask_text, grid.cells[name])) for name in chosen.mask]),
        findings=cleaner.findings() + missing.findings("sequences") + variants.findings,
        variants_of=variants.wild_type,
    )


def _grid_of(
    source: pd.DataFrame | pd.Series | Sequence[str] | Sequence[Sequence[str]],
    columns: RowOptions,
    *,
    ids: bool,
) -> Grid:
    if isinstance(source, pd.DataFrame):
        return grid_from_frame(source)
    single, pair = (SINGLE_ID, PAIR_IDS) if ids else (SINGLE_SEQUENCE, PAIR_SEQUENCES)
    if isinstance(source, pd.Series) and not ids and _has_names(source):
        named = {columns.id_column: source.index, columns.sequence_column: source.array}
        return grid_from_frame(pd.DataFrame(named))
    rows = rows_of(source)
    wanted = single if not rows or is_single(rows[0]) else pair
    return grid_from_rows(rows, [getattr(columns, name) for name in wanted])


def _has_names(series: pd.Series) -> bool:
    return all(isinstance(name, str) for name in series.index)


def _table_from_fasta(records: FastaRecords, path: Path) -> Table:
    """Proteins of a FASTA file as rows without labels."""
    logger.info("%s: read %s", path, count_of(len(records.proteins), "sequence"))
    return Table(
        path=path,
        columns=(),
        lines=records.lines,
        ids=_stacked([records.proteins.ids]),
        sequences=_stacked([records.proteins.sequences]),
        findings=records.findings,
    )


def _stripped(cells: Sequence[str]) -> list[str]:
    return [cell.strip() for cell in cells]


def _cluster_cells(grid: Grid, name: str, missing: Tally) -> list[str]:
    """Cells of the cluster column; a text for a missing value becomes an empty cell."""
    cells = _stripped(grid.cells[name])
    for row, cell in enumerate(cells):
        if cell and looks_missing(cell):
            missing.add(f"{place(grid.path, int(grid.lines[row]))} {cell}")
            cells[row] = ""
    return cells


def _single(columns: Sequence[Sequence[str]]) -> TextArray | None:
    return np.array(columns[0], dtype=object) if columns else None


def _stacked(columns: Sequence[Sequence[str]]) -> TextArray | None:
    if not columns:
        return None
    return np.stack([np.array(cells, dtype=object) for cells in columns], axis=1)


def _clean_cells(grid: Grid, chosen: Columns, cleaner: SequenceCleaner) -> TextArray | None:
    cleaned = []
    for position, column in enumerate(chosen.sequences):
        named = grid.cells[chosen.ids[position]] if chosen.ids else repeat(f"column {column}")
        rows = zip(grid.cells[column], grid.lines.tolist(), named, strict=False)
        cleaned.append([cleaner.clean(cell, line, name=name) for cell, line, name in rows])
    return _stacked(cleaned)


def _empty_cells(grid: Grid, names: Sequence[str], *, hint: str = "") -> list[str]:
    lines = grid.lines.tolist()
    return [
        f"{place(grid.path, line)}: the {name} is empty: fill it in{hint}, or leave out the row"
        for name in names
        for line, cell in zip(lines, grid.cells[name], strict=True)
        if not cell or cell.isspace()
    ]
