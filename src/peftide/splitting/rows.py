"""The tables of `peftide split` → their unchanged rows, and the proteins in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from peftide.config import SplitConfig
from peftide.errors import InputError, Problems
from peftide.quantities import count_of_kind
from peftide.sequences import (
    Dataset,
    Examples,
    Finding,
    Proteins,
    distinct_examples,
    distinct_sequences,
    read_dataset,
)
from peftide.sequences.columns import column_names, has_pairs
from peftide.sequences.dataset import select_rows
from peftide.sequences.delimited import Grid, read_grid
from peftide.sequences.missing import looks_missing, missing_labels
from peftide.sequences.tables import table_of
from peftide.sequences.variants import LEFT_OUT, READ_AS_WILD_TYPE
from peftide.types import BoolArray, IntArray, Level

Cells = tuple[str, ...]
REPORTED = ("matched_by_accession", "own_sequences", "missing_clusters")
OF_MUTANTS = ("renumbered_mutants", *(kind for kind, _ in (LEFT_OUT | READ_AS_WILD_TYPE).values()))


@dataclass(frozen=True, eq=False)
class SplitRows:
    """Every row of the input, and the proteins of the rows with known sequences.

    Attributes
    ----------
    level
        "pair", or "sequence" (residue tasks too).
    header
        Names of the columns.
    cells
        All rows, unchanged, in input order.
    known
        Index into `cells` of the B rows with known sequences. Shape (B,).
    proteins, members
        All proteins, and the proteins of each row. Shape (B, A).
    numbers
        Number of each protein's sequence. Shape (P,).
    asked
        Number of each row's example: its sequence, or its unordered pair. Shape (B,).
    labels, clusters
        Text of each row, or None.
    findings
        Findings counted while reading.
    wild_type
        The sequence that the rows are variants of, if the table names mutants.
    where
        Index of a row → its file and line.
    """

    level: Level
    header: Cells
    cells: list[Cells]
    known: IntArray
    proteins: Proteins
    members: IntArray
    numbers: IntArray
    asked: IntArray
    labels: tuple[str, ...] | None
    clusters: tuple[str, ...] | None
    findings: tuple[Finding, ...]
    wild_type: str | None
    where: Callable[[int], str]

    @property
    def why_unknown(self) -> str:
        """The reason why the other rows have no part."""
        return "no sequence" if self.wild_type is None else "no whole protein, or no value"

    def selfs(self) -> BoolArray:
        """Mark the pairs of a sequence with itself. Shape (B,)."""
        own = self.numbers[self.members]
        return (own[:, 0] == own[:, -1]) & (self.level == "pair")

    def lengths(self) -> list[int] | None:
        """Return the number of residues in each row's sequence; None for pairs."""
        if self.level == "pair":
            return None
        return [len(self.proteins.sequences[member]) for member in self.members[:, 0]]


def read_rows(config: SplitConfig) -> SplitRows:
    """Read all tables and the sequences of their proteins.

    Raises
    ------
    InputError
        If a table or the FASTA file is wrong, or the tables have different columns.
    """
    problems = Problems()
    grids = [read_grid(path, column_names(config), problems=problems) for path in config.input]
    header = _header(grids)
    level: Level = "pair" if has_pairs(grids[0], config) else "sequence"
    reading = {"level": level, "needs_labels": False, "problems": problems}
    tables = {str(grid.path): table_of(grid, config, **reading) for grid in grids}
    problems.raise_all()
    # residue labels may begin or end with a space, which the level "sequence" strips
    dataset = read_dataset(tables, config, level="pair" if level == "pair" else "residue")
    dataset = _measured_variants(dataset)
    members = np.concatenate([part.members for part in dataset.parts.values()])
    numbers = distinct_sequences(dataset.proteins)
    asked = distinct_examples(members, numbers)
    return SplitRows(
        level=level,
        header=header,
        cells=[cells for grid in grids for cells in _rows(grid, header)],
        known=_known(grids, dataset),
        proteins=dataset.proteins,
        members=members,
        numbers=numbers,
        asked=asked,
        labels=_column(dataset, "labels"),
        clusters=_column(dataset, "clusters"),
        findings=_findings(dataset),
        wild_type=dataset.wild_type,
        where=partial(_where, list(dataset.parts.values())),
    )


def _measured_variants(dataset: Dataset) -> Dataset:
    """Return the data set without the variants that have no value, as a training reads it."""
    if dataset.variants_of is None:
        return dataset
    parts = {}
    for name, examples in dataset.parts.items():
        labels = examples.labels or [""]
        missing = np.array([looks_missing(label) for label in labels], dtype=bool)
        parts[name] = examples if missing.all() else select_rows(examples, ~missing)
    return replace(dataset, parts=parts)


def _where(parts: Sequence[Examples], row: int) -> str:
    """Return file and line of a row, counted through all parts."""
    ends = np.cumsum([len(part) for part in parts])
    number = int(np.searchsorted(ends, row, side="right"))
    return parts[number].where(row - int(ends[number]) + len(parts[number]))


def _header(grids: Sequence[Grid]) -> Cells:
    first, *others = grids
    for grid in others:
        if set(grid.cells) != set(first.cells):
            raise InputError(
                f"the columns are {', '.join(grid.cells)}",
                expected=f"the columns of {first.path}: {', '.join(first.cells)}",
                where=grid.path,
            )
    return tuple(first.cells)


def _rows(grid: Grid, header: Cells) -> list[Cells]:
    return list(zip(*(grid.cells[name] for name in header), strict=True))


def _known(grids: Sequence[Grid], dataset: Dataset) -> IntArray:
    """Index, among all rows, of the rows in the data set."""
    found, before = [], 0
    for grid in grids:
        examples = dataset.parts[str(grid.path)]
        found.append(before + np.searchsorted(grid.lines, examples.lines))
        before += len(grid.lines)
    return np.concatenate(found)


def _findings(dataset: Dataset) -> tuple[Finding, ...]:
    """Return the findings that a split reports: choices about proteins, clusters and labels."""
    chosen = tuple(found for found in dataset.findings if found.kind in REPORTED)
    for found in dataset.findings:
        if found.kind in OF_MUTANTS:
            _, _, what = count_of_kind(found.count, found.kind).partition(" ")
            chosen += (replace(found, decision=f"{what}: {found.decision}"),)
    for examples in dataset.parts.values():
        chosen += missing_labels(examples.path.name, examples)
    return chosen


def _column(dataset: Dataset, name: str) -> tuple[str, ...] | None:
    columns = [getattr(part, name) for part in dataset.parts.values()]
    if any(column is None for column in columns):
        return None
    return tuple(cell for column in columns for cell in column)


def input_files(config: SplitConfig) -> list[Path]:
    """Return every file that a split reads.

    Raises
    ------
    InputError
        If a table is named twice.
    """
    twice = {path for path in config.input if config.input.count(path) > 1}
    if twice:
        raise InputError(f"{min(twice)} is given twice", where="--input")
    return [*config.input, *(path for path in (config.sequences, config.clusters) if path)]
