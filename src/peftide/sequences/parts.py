"""A table with a split column comes in; one table per part goes out."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from peftide.config.options import RowOptions
from peftide.errors import InputError, Problems, did_you_mean, raise_problems
from peftide.sequences.columns import renamed_columns
from peftide.sequences.missing import looks_missing
from peftide.sequences.records import FRAME
from peftide.sequences.tables import Table

SYNONYMS = {"valid": "validation", "val": "validation", "dev": "validation"}
PARTS = ("train", "validation", "test")
EXTRA_TEST = re.compile(r"test([_.-][\w.-]*\w|\d+)")
"""Names of further test parts. `testt` may be a mistake for `test`."""


def part_name(value: str) -> str | None:
    """Name of the part that a cell of the split column names, or None.

    Examples
    --------
    >>> part_name("Train"), part_name("VAL"), part_name("test_fold"), part_name("holdout")
    ('train', 'validation', 'test_fold', None)
    """
    name = SYNONYMS.get(value.lower(), value.lower())
    return name if name in PARTS or EXTRA_TEST.fullmatch(name) else None


def split_by_column(
    table: Table,
    *,
    column: str,
    options: RowOptions | None = None,
    problems: Problems | None = None,
) -> dict[str, Table]:
    """Rows of each part that the split column names; train and validation come first.

    `valid`, `val` and `dev` in any case are read as validation. `test2` and names that begin with
    `test_`, `test-` or `test.` are further test parts.

    Parameters
    ----------
    table
        Table of all parts.
    column
        Name of the split column, for messages.
    options
        The options with which the table was read, for messages.
    problems
        Gets the rows that name no part, which are then left out. None: they are raised.

    Raises
    ------
    InputError
        If there is no such column, or a row names no part.
    """
    if table.splits is None:
        raise InputError(
            f"no column {column} with the part of each row",
            where=table.path,
            fix=f"If the table has none, {_how_to_split(table, options)}. Else name it with "
            "--split-column, or give the parts as files with --train and --test. "
            f"{did_you_mean(column, table.columns)}",
        )
    names = {value: part_name(value) for value in dict.fromkeys(table.splits)}
    unknown = _unknown_parts(table, table.splits.tolist(), column=column)
    if problems is None:
        raise_problems(unknown)
    else:
        problems.found += unknown
    per_row = np.array([names[value] for value in table.splits], dtype=object)
    found = dict.fromkeys([*PARTS, *filter(None, per_row)])
    return {name: table.select(per_row == name) for name in found if (per_row == name).any()}


def _how_to_split(table: Table, options: RowOptions | None) -> str:
    """Return the command that adds the column, as far as table and options show its options."""
    is_file = table.path != FRAME
    words = ["peftide", "split", "--input", str(table.path) if is_file else "table.tsv"]
    given = options and options.sequences
    fasta = str(given) if isinstance(given, Path) else "proteins.fasta"
    words += [] if table.sequences is not None else ["--sequences", fasta]
    words += renamed_columns(options) if options else []
    command = shlex.join([*words, "--out", "parts"])
    return (
        f"make one: `{command}`" if is_file else f"write it to a file and split that: `{command}`"
    )


def _unknown_parts(table: Table, values: Sequence[str], *, column: str) -> list[str]:
    first: dict[str, int] = {}
    for row, value in enumerate(values):
        first.setdefault(value, row)
    return [
        f"{table.where(row)}: {_unknown_part(value, column=column)}"
        for value, row in first.items()
        if part_name(value) is None
    ]


def _unknown_part(value: str, *, column: str) -> str:
    if not value:
        return f"column {column} is empty; expected {', '.join(PARTS)}"
    if looks_missing(value):
        return f"column {column} says {value!r}, which looks like a missing value; expected " + (
            ", ".join(PARTS)
        )
    known = did_you_mean(value, [*PARTS, "test_<name>"])
    return f"column {column} says {value!r}. {known} (valid, val and dev are validation)"
