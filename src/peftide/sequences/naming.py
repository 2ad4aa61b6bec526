"""Tables come in; they go out with an id for every sequence, unique across sequences."""

import logging
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from peftide.sequences.records import Finding
from peftide.sequences.tables import Table, TextArray
from peftide.sequences.tallies import Tally
from peftide.types import Level

logger = logging.getLogger(__name__)


def name_rows(
    tables: Mapping[str, Table], *, level: Level, strict: bool
) -> tuple[dict[str, Table], tuple[Finding, ...]]:
    """Tables with ids, and findings on renamed ids.

    A single sequence without an id is named after its line: `row_12`, or `train_row_12` if the
    parts are several files. Sequences in pairs are named `seq_1`, `seq_2`, …, with the same name
    for equal sequences. In tables of single sequences an id is only a name, so an id that is reused
    for another sequence gets its line added: `1EME_row_4218`. In tables of pairs ids identify
    proteins, so they are not renamed.

    Parameters
    ----------
    tables
        Table of each part.
    level
        Unit of a label: pair, sequence or residue.
    strict
        Leave reused ids unchanged.
    """
    if level == "pair":
        return _name_pairs(tables), ()
    named = _name_single(tables)
    return (named, ()) if strict else _rename(named)


def _name_single(tables: Mapping[str, Table]) -> dict[str, Table]:
    # rows of one file have lines of their own; tables in memory all begin with row 1
    of_file = {(table.path, table.lines[0]) for table in tables.values() if len(table)}
    unnamed = [table for table in tables.values() if table.ids is None and len(table)]
    if unnamed:
        line = unnamed[0].lines[0]
        logger.info("no column with ids: row_%s stands for line %s, and so on", line, line)
    several_files = len({path for path, _ in of_file}) > 1 or len(of_file) < len(tables)
    named = {}
    for part, table in tables.items():
        prefix = f"{part}_row_" if several_files else "row_"
        ids = [f"{prefix}{line}" for line in table.lines]
        named[part] = table if table.ids is not None else _with_ids(table, ids)
    return named


def _name_pairs(tables: Mapping[str, Table]) -> dict[str, Table]:
    made: dict[str, str] = {}
    named = {}
    for part, table in tables.items():
        named[part] = table
        if table.ids is None:
            cells = _cells(table.sequences)
            ids = [made.setdefault(sequence, f"seq_{len(made) + 1}") for sequence in cells]
            named[part] = _with_ids(table, ids)
    return named


def _rename(tables: Mapping[str, Table]) -> tuple[dict[str, Table], tuple[Finding, ...]]:
    renamed = Tally("renamed_ids", "an id is reused for another sequence; its line was added")
    first: dict[str, str] = {}
    named = dict(tables)
    for part, table in tables.items():
        if table.sequences is None:
            continue
        ids = _cells(table.ids)
        for row, (name, sequence) in enumerate(zip(ids, _cells(table.sequences), strict=True)):
            if first.setdefault(name, sequence) != sequence:
                ids[row] = f"{name}_row_{table.lines[row]}"
                renamed.add(f"{table.where(row)} {ids[row]}")
        named[part] = _with_ids(table, ids)
    return named, renamed.findings("sequences")


def _cells(column: TextArray | None) -> list[str]:
    assert column is not None
    return column.ravel().tolist()


def _with_ids(table: Table, ids: list[str]) -> Table:
    assert table.sequences is not None
    return replace(table, ids=np.array(ids, dtype=object).reshape(table.sequences.shape))
