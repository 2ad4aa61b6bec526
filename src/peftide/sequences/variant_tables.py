"""A table of mutants comes in; the same rows go out with the sequence of each variant.

ProteinGym files (`mutant`, `mutated_sequence`, `DMS_score`) and MAVE-DB exports (`hgvs_pro`,
`score`, comment lines) are read as they are.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from peftide.config.options import RowOptions
from peftide.errors import InputError, did_you_mean, raise_problems
from peftide.files import is_readable
from peftide.sequences.columns import unread_columns
from peftide.sequences.delimited import Grid
from peftide.sequences.fasta import read_fasta
from peftide.sequences.label_kinds import is_number
from peftide.sequences.missing import looks_missing
from peftide.sequences.mutants import parse_mutant
from peftide.sequences.records import LIST, Finding, Proteins, WildType, place
from peftide.sequences.tallies import row_findings
from peftide.sequences.variants import (
    Changes,
    Variants,
    changes_between,
    mutant_name,
    offsets_of,
    read_variants,
    shared_offset,
)
from peftide.types import BoolArray, IntArray, Level

PART = "variants"
MUTANTS = ("hgvs_pro",)
LABELS = ("DMS_score", "score")
SEQUENCES = ("mutated_sequence", "mutated_seq")
"""Columns of public files that are read where the table lacks the usual ones."""
SHORTEST = 10
"""A wild type that is given as letters has at least so many residues."""
GAP = 10.0
"""Factor between two groups of labels that makes them look like two scales."""
SMALLEST_GROUP = 0.01
MOST_COMPARED = 200
"""Mutants whose whole sequences tell the offset of their positions."""


@dataclass(frozen=True)
class VariantGrid:
    """A table, with the sequence of each variant if it names mutants.

    Attributes
    ----------
    grid
        The table with the columns of ids and sequences; rows without a whole protein are left out.
    wild_type
        The wild type, with the offset of the positions; None for another kind of table.
    findings
        Counts of the rows by kind.
    """

    grid: Grid
    wild_type: WildType | None = None
    findings: tuple[Finding, ...] = ()


def variants_in(
    grid: Grid, columns: RowOptions, *, level: Level | None, needs_labels: bool
) -> VariantGrid:
    """Return a table, with the sequences of its variants if it names mutants.

    Raises
    ------
    InputError
        As `read_variant_grid`; or the user named an option that only tables of mutants read.
    """
    if level in ("pair", "residue") or not names_mutants(grid, columns):
        of_mutants = ("mutant_column", "offset")
        raise_problems(unread_columns(columns, of_mutants, said="a table without mutants"))
        return VariantGrid(grid)
    return read_variant_grid(grid, columns, needs_labels=needs_labels)


def names_mutants(grid: Grid, columns: RowOptions) -> bool:
    """Return whether a table names mutants of a wild type instead of sequences."""
    if columns.wild_type is not None:
        return True
    others = (columns.sequence_column, columns.id_column, columns.id_a_column)
    others += (columns.sequence_a_column,)
    return _first(grid, columns.mutant_column, MUTANTS) is not None and not any(
        name in grid.cells for name in others
    )


def read_variant_grid(grid: Grid, columns: RowOptions, *, needs_labels: bool) -> VariantGrid:
    """Return a table of mutants with sequences in place of the mutants.

    Rows without a label are left out, and replicates of a variant in one part are averaged, if
    labels are needed.

    Raises
    ------
    InputError
        If there is no wild type, or a mutant disagrees with it; see `read_variants`.
    """
    column, given = _variant_columns(grid, columns)
    offset = None if columns.offset == "auto" else columns.offset
    wild_type = find_wild_type(columns)
    if wild_type is None:
        wild_type, offset = _from_sequences(grid, column, columns)
    if given is not None and column is None:
        found = _of_sequences(grid, given, wild_type)
    else:
        assert column is not None
        found = read_variants(
            *(grid.cells[column], wild_type),
            where=lambda row: f"{place(grid.path, int(grid.lines[row]))}, column {column}",
            offset=offset,
            part=PART,
        )
        if given in SEQUENCES:
            _check_sequences(grid, found, column=column, given=given)
    if not len(found.rows):
        left_out = "; ".join(map(str, found.findings))
        raise InputError(f"no row names a whole protein ({left_out})", where=grid.path)
    label = _first(grid, columns.label_column, LABELS)
    names = None if column is None else [grid.cells[column][row].strip() for row in found.rows]
    grown = _grown(grid, found, columns, names=names or list(map(mutant_name, found.changes)))
    if label is not None:
        grown.cells[columns.label_column] = grown.cells[label]
    findings = found.findings
    if needs_labels and label is not None:
        grown, left_out = _without_missing(grown, columns.label_column)
        split = grown.cells.get(getattr(columns, "split_column", ""))
        findings += left_out + _mixed_scales(grown, columns.label_column)
        grown, averaged = _averaged(grown, columns, split=split)
        findings += averaged
    return VariantGrid(grown, WildType(wild_type, found.offset), findings)


def find_wild_type(columns: RowOptions) -> str | None:
    """Return the sequence that `--wild-type` names: a FASTA file, an id, or letters; or None.

    Raises
    ------
    InputError
        If the file has several sequences, or no sequence has this id.
    """
    named = columns.wild_type
    if named is None:
        return None
    if is_readable(Path(named)):
        proteins, _ = read_fasta(Path(named))
        if len(proteins) > 1:
            raise InputError(
                f"{named} has {len(proteins):,} sequences",
                expected="one wild type",
                where="--wild-type",
                fix=f"Name one by its id: --sequences {named} --wild-type {proteins.ids[0]}",
            )
        return proteins.sequences[0]
    letters = named.strip().upper()
    is_sequence = len(letters) >= SHORTEST and letters.isalpha() and letters.isascii()
    if isinstance(columns.sequences, str | Path):
        proteins, _ = read_fasta(Path(columns.sequences))
        if is_sequence and named not in proteins.ids:
            raise InputError(
                f"received {columns.sequences}, but the wild type is known by its sequence",
                where="--sequences",
                fix="Leave this option out",
            )
        return _by_id(named, proteins, str(columns.sequences))
    if is_sequence:
        return letters
    raise InputError(
        f"received {named!r}",
        expected="a FASTA file, the id of a sequence in --sequences, or a sequence of "
        f"{SHORTEST} residues or more",
        where="--wild-type",
    )


def _by_id(name: str, proteins: Proteins, path: str) -> str:
    if name not in proteins.ids:
        raise InputError(
            f"{path} has no sequence {name!r}",
            where="--wild-type",
            fix=did_you_mean(name, proteins.ids),
        )
    return proteins.sequences[proteins.ids.index(name)]


def _first(grid: Grid, usual: str, others: Sequence[str]) -> str | None:
    return next((name for name in (usual, *others) if name in grid.cells), None)


def _variant_columns(grid: Grid, columns: RowOptions) -> tuple[str | None, str | None]:
    """Return the column of mutants and the column of sequences; at least one is there."""
    mutants = _first(grid, columns.mutant_column, MUTANTS)
    sequences = _first(grid, columns.sequence_column, SEQUENCES)
    if mutants is None and sequences is not None and grid.path == LIST:
        whole = all(cell.strip().isalpha() for cell in grid.cells[sequences])
        return (None, sequences) if whole else (sequences, None)
    if mutants is None and sequences is None:
        raise InputError(
            f"there is no column {columns.mutant_column} with the mutants",
            where=grid.path,
            fix="Name it with --mutant-column. " + did_you_mean(columns.mutant_column, grid.cells),
        )
    return mutants, sequences


def _from_sequences(grid: Grid, column: str | None, columns: RowOptions) -> tuple[str, int | None]:
    """Return the wild type, and the offset, from the mutants and their whole sequences."""
    given = _first(grid, columns.sequence_column, SEQUENCES)
    if column is None or given is None:
        raise InputError(
            "the table names mutants, but their wild type is missing",
            where=grid.path,
            fix="Give it with --wild-type FILE (FASTA), or add a column of whole sequences",
        )
    pairs = _pairs_of(grid.cells[column], grid.cells[given])
    offset = shared_offset(pairs) if columns.offset == "auto" else columns.offset
    for changes, sequence in pairs:
        if offset in offsets_of(changes, sequence):
            residues = list(sequence)
            for one in changes:
                residues[one.position - offset - 1] = one.old
            return "".join(residues), offset or None
    raise InputError(
        f"the wild type cannot be told from the columns {column} and {given}",
        where=grid.path,
        fix="Give it with --wild-type FILE (FASTA)",
    )


def _pairs_of(names: Sequence[str], sequences: Sequence[str]) -> list[tuple[Changes, str]]:
    """Return the first mutants that change residues, with their whole sequences."""
    found: list[tuple[Changes, str]] = []
    for name, sequence in zip(names, sequences, strict=True):
        if looks_missing(name) or looks_missing(sequence):
            continue
        with suppress(InputError):  # raised later, with its place
            if changes := parse_mutant(name).substitutions:
                found.append((changes, sequence.strip().upper()))
        if len(found) == MOST_COMPARED:
            break
    return found


def _of_sequences(grid: Grid, column: str, wild_type: str) -> Variants:
    """Return the variants whose whole sequences a column has."""
    sequences, changes, problems = [], [], []
    for line, cell in zip(grid.lines.tolist(), grid.cells[column], strict=True):
        sequence = "".join(cell.split()).rstrip("*").upper()
        sequence = wild_type if sequence == "WT" else sequence
        sequences.append(sequence)
        try:
            changes.append(changes_between(wild_type, sequence))
        except InputError as error:
            problems.append(f"{place(grid.path, line)}, column {column}: {error}")
    raise_problems(problems, fix="The task reads substitutions only")
    return Variants(np.arange(len(sequences)), tuple(sequences), tuple(changes), 0, ())


def _check_sequences(grid: Grid, found: Variants, *, column: str, given: str) -> None:
    """Raise if the whole sequence of a row is another than its mutant has."""
    cells, problems = grid.cells[given], []
    for row, wanted in zip(found.rows.tolist(), found.sequences, strict=True):
        cell = cells[row].strip()
        if not looks_missing(cell) and cell.rstrip("*").upper() != wanted:
            where = f"{place(grid.path, int(grid.lines[row]))}, column {given}"
            named = grid.cells[column][row].strip()
            problems.append(f"{where}: the sequence is another than the mutant {named} has")
    raise_problems(problems, fix="Check the wild type (--wild-type), or take the column away")


def _grown(grid: Grid, found: Variants, columns: RowOptions, *, names: Sequence[str]) -> Grid:
    """Return the kept rows, with the columns of ids and sequences under their names."""
    cells = {
        name: tuple(column[row] for row in found.rows.tolist())
        for name, column in grid.cells.items()
        if name not in (columns.id_column, columns.sequence_column)
    }
    cells[columns.id_column] = tuple(names)
    cells[columns.sequence_column] = found.sequences
    return Grid(grid.path, cells, grid.lines[found.rows])


def _rows(grid: Grid, rows: BoolArray | IntArray) -> Grid:
    kept = np.arange(len(grid.lines))[rows].tolist()
    cells = {name: tuple(column[row] for row in kept) for name, column in grid.cells.items()}
    return Grid(grid.path, cells, grid.lines[rows])


def _without_missing(grid: Grid, label: str) -> tuple[Grid, tuple[Finding, ...]]:
    missing = np.array([looks_missing(cell) for cell in grid.cells[label]], dtype=bool)
    if missing.all():
        raise InputError(f"no variant has a value in the column {label}", where=grid.path)
    found = row_findings(
        PART,
        "missing_scores",
        missing,
        where=lambda row: place(grid.path, int(grid.lines[row])),
        decision="variants without a value are left out",
    )
    return (_rows(grid, ~missing) if missing.any() else grid), found


def _mixed_scales(grid: Grid, label: str) -> tuple[Finding, ...]:
    """Warn of labels in two groups if one group looks like logarithms of the other."""
    texts = grid.cells[label]
    if not all(map(is_number, texts)):
        return ()
    sizes = np.abs(np.array(texts, dtype=np.float64))
    ordered = np.sort(sizes[sizes > 0])
    few = max(2, int(np.ceil(SMALLEST_GROUP * len(sizes))))
    if len(ordered) < 2 * few + 2:
        return ()
    steps = ordered[few:-few][1:] / ordered[few:-few][:-1]
    if not len(steps) or steps.max() < GAP:
        return ()
    cut = few + 1 + int(steps.argmax())
    low, high = ordered[:cut], ordered[cut:]
    logs = [np.median(log(high)) for log in (np.log, np.log2, np.log10)]
    if not min(logs) / 3 <= np.median(low) <= 3 * max(logs):
        return ()
    fewer, more = (low, high) if len(low) < len(high) else (high, low)
    decision = (
        f"labels of about {np.median(fewer):.3g} beside labels of about {np.median(more):.3g}: "
        "some may be logarithms of the others. All are kept; bring them to one scale"
    )
    return row_findings(
        PART,
        "mixed_scales",
        (sizes >= fewer[0]) & (sizes <= fewer[-1]),
        where=lambda row: place(grid.path, int(grid.lines[row])),
        decision=decision,
    )


def _averaged(
    grid: Grid, columns: RowOptions, *, split: Sequence[str] | None
) -> tuple[Grid, tuple[Finding, ...]]:
    """Average the values of rows with one variant in one part; yes and no are left as they are."""
    texts = grid.cells[columns.label_column]
    if not all(map(is_number, texts)) or set(texts) <= {"0", "1", "0.0", "1.0"}:
        return grid, ()
    groups: dict[tuple[str, str], list[int]] = {}
    parts = split or [""] * len(texts)
    for row, key in enumerate(zip(parts, grid.cells[columns.sequence_column], strict=True)):
        groups.setdefault(key, []).append(row)
    if len(groups) == len(texts):
        return grid, ()
    values = np.array(texts, dtype=np.float64)
    means = {rows[0]: texts[rows[0]] for rows in groups.values()}
    means |= {
        rows[0]: repr(float(values[rows].mean())) for rows in groups.values() if len(rows) > 1
    }
    repeats = np.ones(len(texts), dtype=bool)
    repeats[list(means)] = False
    merged = _rows(grid, ~repeats)
    labels = tuple(means[row] for row in np.flatnonzero(~repeats).tolist())
    found = row_findings(
        PART,
        "replicate_measurements",
        repeats,
        where=lambda row: place(grid.path, int(grid.lines[row])),
        decision="rows of a variant that has an earlier row in the same part; their values were "
        "averaged",
    )
    return replace(merged, cells=merged.cells | {columns.label_column: labels}), found
