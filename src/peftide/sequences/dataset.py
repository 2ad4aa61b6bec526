"""Tables and a FASTA file come in; proteins and the rows that name them go out."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from peftide.config.options import JoinOptions
from peftide.errors import InputError, raise_problems
from peftide.sequences.beside import RESOLVE, compare_sequences
from peftide.sequences.lookup import SequenceLookup, SequenceSource, sequence_lookup
from peftide.sequences.missing import looks_missing
from peftide.sequences.naming import name_rows
from peftide.sequences.near_numbers import MADE_BY_SPREADSHEETS, looks_like_date
from peftide.sequences.parts import PARTS, part_name
from peftide.sequences.records import Dataset, Examples, Finding, Proteins, WildType
from peftide.sequences.repeats import distinct_sequences, judge_rows
from peftide.sequences.tables import Table
from peftide.sequences.tallies import Tally, row_findings
from peftide.types import BoolArray, IntArray, Level

FORMULA_SIGNS = ("=", "+", "-", "@")


def read_dataset(
    tables: Mapping[str, Table],
    options: JoinOptions,
    *,
    level: Level,
    sequences: SequenceSource | None = None,
) -> Dataset:
    """Proteins of all parts, and the rows of each part that name them.

    Sequences come from the table if it has sequence columns, else from `sequences`; where both have
    an id, its sequences must agree. Rows without ids get generated ids (see `name_rows`). Only
    proteins in a row are kept. Spaces at the ends of labels are removed, except in per-residue
    labels.

    Parameters
    ----------
    tables
        Table of each part by its name ("train", "validation", "test", …).
    options
        Treatment of missing sequences, self-pairs and contradictory labels; also the FASTA file,
        unless `sequences` is given.
    level
        Unit of a label: pair, sequence or residue.
    sequences
        FASTA file, mapping or Series from id to sequence, or a source that has already been read.

    Raises
    ------
    InputError
        If an id has no sequence or two sequences, an id looks like a missing value and `sequences`
        does not have it, or (under `options.strict`) labels contradict each other.
    """
    problems: list[str] = []
    fitted = {part: _at_level(table, level) for part, table in tables.items()}
    named, findings = name_rows(fitted, level=level, strict=options.strict)
    source = options.sequences if sequences is None else sequences
    lookup = None if source is None else sequence_lookup(source)
    _refuse_missing_ids(tables.values(), lookup)
    if lookup is not None:
        findings += compare_sequences(tables.values(), lookup, problems)
        raise_problems(problems, fix=RESOLVE)
    filled, fasta_findings, spelling = _fill(
        named, lookup, problems, drop=options.missing == "drop"
    )
    pool = _ProteinPool(problems)
    members = {part: pool.add(table) for part, table in filled.items()}
    raise_problems(problems, fix=spelling)
    parts = {part: _examples(table, members[part]) for part, table in filled.items()}
    for part, table in filled.items():
        findings += _other_splits(part, table)
    wild_type = _one_wild_type(tables.values())
    dataset = Dataset(pool.proteins(), parts, findings + fasta_findings, wild_type)
    return _judge(dataset, options)


def select_rows(examples: Examples, rows: IntArray | BoolArray) -> Examples:
    """Return only these rows; `rows` are indices, or a mask of shape (B,)."""
    indices = np.arange(len(examples))[rows]
    texts = {name: getattr(examples, name) for name in ("labels", "masks", "clusters")}
    return replace(
        examples,
        lines=examples.lines[indices],
        members=examples.members[indices],
        counted=examples.counted[indices],
        **{
            name: tuple(column[row] for row in indices)
            for name, column in texts.items()
            if column is not None
        },
    )


def keep_used_proteins(dataset: Dataset) -> Dataset:
    """Return the data set without proteins that are no longer in any row."""
    members = [examples.members.ravel() for examples in dataset.parts.values()]
    used = np.unique(np.concatenate(members))
    if len(used) == len(dataset.proteins):
        return dataset
    new_index = np.full(len(dataset.proteins), -1, dtype=np.int64)
    new_index[used] = np.arange(len(used))
    return replace(
        dataset,
        proteins=Proteins(
            tuple(dataset.proteins.ids[index] for index in used),
            tuple(dataset.proteins.sequences[index] for index in used),
        ),
        parts={
            part: replace(examples, members=new_index[examples.members])
            for part, examples in dataset.parts.items()
        },
    )


def member_proteins(examples: Examples, proteins: Proteins) -> tuple[Proteins, IntArray]:
    """Return the proteins of some examples, and the examples' members as indices into them."""
    used, local = np.unique(examples.members, return_inverse=True)
    chosen = Proteins(
        tuple(proteins.ids[index] for index in used),
        tuple(proteins.sequences[index] for index in used),
    )
    return chosen, local.reshape(examples.members.shape)


class _ProteinPool:
    """Distinct proteins over all parts; an id with two sequences becomes a problem."""

    def __init__(self, problems: list[str]) -> None:
        self._problems = problems
        self._index: dict[str, int] = {}
        self._sequences: list[str] = []
        self._places: list[str] = []
        self._refused: set[tuple[str, str]] = set()

    def add(self, table: Table) -> IntArray:
        """Index of each row's proteins. Shape (B, A)."""
        assert table.ids is not None
        assert table.sequences is not None
        shape = table.ids.shape
        cells = zip(table.ids.ravel(), table.sequences.ravel(), strict=True)
        members = np.empty(table.ids.size, dtype=np.int64)
        for cell, (name, sequence) in enumerate(cells):
            index = self._index.setdefault(name, len(self._sequences))
            if index == len(self._sequences):
                self._sequences.append(sequence)
                self._places.append(table.where(cell // shape[1]))
            elif self._sequences[index] != sequence:
                self._refuse(name, sequence, table.where(cell // shape[1]))
            members[cell] = index
        return members.reshape(shape)

    def proteins(self) -> Proteins:
        """All proteins in order of first appearance."""
        return Proteins(tuple(self._index), tuple(self._sequences))

    def _refuse(self, name: str, sequence: str, where: str) -> None:
        if (name, sequence) not in self._refused:
            self._refused.add((name, sequence))
            first = self._places[self._index[name]]
            self._problems.append(
                f"{where}: id {name} has a different sequence here than in {first}"
            )


def _one_wild_type(tables: Iterable[Table]) -> WildType | None:
    """Return the wild type of the tables of mutants.

    Raises
    ------
    InputError
        If it is not the same for all tables.
    """
    found = [table for table in tables if table.variants_of is not None]
    sequences = {table.variants_of.sequence for table in found if table.variants_of}
    if len(sequences) > 1:
        raise InputError(
            "the tables have different wild types",
            expected="variants of one protein",
            where=found[-1].path,
            fix="Give the wild type with --wild-type",
        )
    return found[0].variants_of if found else None


def _at_level(table: Table, level: Level) -> Table:
    """Table with labels and masks in the form that the level needs."""
    if level == "residue":
        return table
    if table.labels is None:
        return replace(table, masks=None)
    labels = np.array([label.strip() for label in table.labels], dtype=object)
    return replace(table, labels=labels, masks=None)


def _refuse_missing_ids(tables: Iterable[Table], lookup: SequenceLookup | None) -> None:
    """Refuse ids such as `NA`, unless the sequences have a protein of this very id.

    Raises
    ------
    InputError
        Naming the place of each.
    """
    known = frozenset() if lookup is None else frozenset(lookup.proteins.ids)
    raise_problems(
        [
            f"{table.where(row)}: the id {name!r} looks like a missing value"
            for table in dict.fromkeys(tables)
            if table.ids is not None
            for row, names in enumerate(table.ids.tolist())
            for name in names
            if looks_missing(name) and name not in known
        ],
        fix="Fill it in, or leave out the row. For a protein that is really called so, rename it, "
        "or give its sequence under this id in the FASTA file (--sequences)",
    )


def _fill(
    tables: Mapping[str, Table],
    lookup: SequenceLookup | None,
    problems: list[str],
    *,
    drop: bool,
) -> tuple[dict[str, Table], tuple[Finding, ...], str]:
    """Tables with sequences, findings, and advice for ids without a sequence."""
    # parts from the same file share its findings
    findings = tuple(dict.fromkeys(found for t in tables.values() for found in t.findings))
    bare = [table for table in tables.values() if table.sequences is None]
    if not bare:
        return dict(tables), findings, ""
    if lookup is None:
        raise InputError(
            "the table names proteins by id, but their sequences are missing",
            where=bare[0].path,
            fix="Give a FASTA file with --sequences, or add the sequences to the table",
        )
    filled, findings = dict(tables), findings + lookup.findings
    for part, table in tables.items():
        if table.sequences is None:
            filled[part], found = lookup.fill(part, table, problems, drop=drop)
            findings += found
    return (
        filled,
        findings,
        f"{lookup.spelling()}. `--missing drop` leaves out rows without a sequence",
    )


def _examples(table: Table, members: IntArray) -> Examples:
    return Examples(
        path=table.path,
        lines=table.lines,
        members=members,
        counted=np.ones(len(table), dtype=bool),
        labels=None if table.labels is None else tuple(table.labels),
        masks=None if table.masks is None else tuple(table.masks),
        clusters=None if table.clusters is None else tuple(table.clusters),
    )


def _other_splits(part: str, table: Table) -> tuple[Finding, ...]:
    """Rows of a file given as one part whose split column names another part."""
    if table.splits is None or part not in PARTS:
        return ()
    other = {value: part_name(value) or part for value in dict.fromkeys(table.splits)}
    # `test_fold` in a file given as test is not a contradiction
    rows = np.array([not other[value].startswith(part) for value in table.splits], dtype=bool)
    return row_findings(
        part,
        "other_split_values",
        rows,
        where=table.where,
        decision="rows used although their split column names another part (`--data` uses it)",
    )


def _judge(dataset: Dataset, options: JoinOptions) -> Dataset:
    """Mark the rows that count in every part, and add the findings."""
    numbers = distinct_sequences(dataset.proteins)
    parts, findings = {}, dataset.findings + _odd_ids(dataset.proteins.ids)
    for part, examples in dataset.parts.items():
        counted, found = judge_rows(
            part, examples, numbers, self_pairs=options.self_pairs, strict=options.strict
        )
        parts[part] = replace(examples, counted=counted)
        findings += found
    return replace(dataset, parts=parts, findings=findings)


def _odd_ids(ids: tuple[str, ...]) -> tuple[Finding, ...]:
    """Count ids that a spreadsheet would compute, or has made into dates; all are kept."""
    formulas = Tally(
        "formula_like_ids",
        f"ids that begin with one of {' '.join(FORMULA_SIGNS)} are kept as they are; a "
        "spreadsheet may compute them, so import their column as text",
    )
    dates = Tally("ids_like_dates", f"kept as they are: {MADE_BY_SPREADSHEETS}")
    for name in ids:
        if name.startswith(FORMULA_SIGNS):
            formulas.add(name)
        if looks_like_date(name):
            dates.add(name)
    return formulas.findings("sequences") + dates.findings("sequences")
