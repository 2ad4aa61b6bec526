"""Score files of other tools, or of other runs → their answers for the rows of a labelled part."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from peftide.config import TableOptions
from peftide.errors import InputError, raise_problems
from peftide.sequences import Dataset
from peftide.sequences.delimited import Grid, read_grid
from peftide.sequences.training_tables import named_files
from peftide.tasks import Labels, Targets, Task
from peftide.types import FloatArray

logger = logging.getLogger(__name__)

Key = tuple[str, ...]
"""What a row asks about: a sorted pair of ids, an id, or an id and a position."""
SHOWN = 3
RANKING = ("average_precision", "auroc")
"""All that a score without a threshold of its own can be judged by."""


def peer_files(given: Sequence[str], taken: Sequence[str], *, flag: str) -> dict[str, Path]:
    """Return the file of each peer by its name; a file without one is called by its own.

    Raises
    ------
    InputError
        If two have one name, or a name is taken by a part of the result.

    Examples
    --------
    >>> peer_files(["TUnA=a/x.tsv", "b/y.tsv"], [], flag="--against")
    {'TUnA': PosixPath('a/x.tsv'), 'y': PosixPath('b/y.tsv')}
    """
    named = [(name or path.stem, path) for name, path in named_files(given)]
    names = [*taken, *(name for name, _ in named)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"two scores named {', '.join(twice)}", where=flag, fix="Use NAME=FILE")
    return dict(named)


def read_peer(
    path: Path,
    part: tuple[Dataset, str, Targets],
    *,
    task: Task,
    labels: Labels,
    columns: TableOptions,
) -> FloatArray:
    """Return what a file says of the rows of a part that count, in their order.

    The order of rows, and of the two ids of a pair, does not matter. A row that stands there twice
    with the same numbers is taken once. Rows of the part that do not count may be missing.

    Parameters
    ----------
    part
        The data set, the name of one of its parts, and the targets of that part.
    columns
        Names of the columns with ids, in the file as in the labelled table.

    Returns
    -------
    FloatArray
        Scores (R,), or one column per class (R, K).

    Raises
    ------
    InputError
        If a column is missing, a score is no finite number, or rows are missing, too many or
        repeated with other scores.
    """
    grid = read_grid(path)
    scores = _numbers(grid, _value_columns(grid, task, labels))
    found = _row_keys(grid, task, columns)
    wanted = _wanted_keys(*part, task=task)
    counted = part[2].counted
    first: dict[Key, int] = {}
    repeated = [
        key
        for row, key in enumerate(found)
        if not np.array_equal(scores[first.setdefault(key, row)], scores[row])
    ]
    missing = [
        key for key, counts in zip(wanted, counted, strict=True) if counts and key not in first
    ]
    known = set(wanted)
    extra = [key for key in first if key not in known]
    _refuse_mismatch(
        path,
        {
            "missing": missing,
            "not in the labelled table": extra,
            "repeated with other scores": repeated,
        },
        rows=int(counted.sum()),
    )
    if len(first) < len(found):
        logger.warning(
            "note: %s: %s rows repeat an earlier one with the same scores: the first counts",
            path,
            f"{len(found) - len(first):,}",
        )
    rows = [first[key] for key, counts in zip(wanted, counted, strict=True) if counts]
    chosen = scores[rows]
    return chosen if _has_classes(task) else chosen[:, 0]


def _has_classes(task: Task) -> bool:
    return task.outcome.kind not in ("binary", "continuous")


def _value_columns(grid: Grid, task: Task, labels: Labels) -> list[str]:
    """Return the columns with the answers of a file."""
    if _has_classes(task):
        wanted = [f"p_{name}" for name in labels.class_names]
    else:
        wanted = [
            "score" if "score" in grid.cells or task.outcome.kind == "binary" else "prediction"
        ]
    missing = [name for name in wanted if name not in grid.cells]
    if missing:
        raise InputError(
            f"no column {', '.join(missing[:SHOWN])} (there are: {', '.join(grid.cells)})",
            expected="the columns id_a id_b score for pairs, id score for sequences, "
            "and p_<class> for each class where there are several",
            where=grid.path,
        )
    return wanted


def _numbers(grid: Grid, names: Sequence[str]) -> FloatArray:
    """Return columns as finite numbers. Shape (B, K)."""
    values = np.array([[_number(cell) for cell in grid.cells[name]] for name in names]).T
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if bad.size:
        row, column = bad[0], int(np.flatnonzero(~np.isfinite(values[bad[0]]))[0])
        raise InputError(
            f"{bad.size:,} of {len(values):,} rows have a score that is no finite number "
            f"(the first: {grid.cells[names[column]][row]!r})",
            where=f"{grid.path}:{grid.lines[row]}",
            fix="Every row of the labelled table needs a score; give the worst to those without",
        )
    return values


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _row_keys(grid: Grid, task: Task, columns: TableOptions) -> list[Key]:
    """Return what each row of a file is about."""
    names = {
        "pair": (columns.id_a_column, columns.id_b_column),
        "sequence": (columns.id_column,),
        "residue": (columns.id_column, "position"),
    }[task.level]
    raise_problems(
        [
            f"{grid.path}: no column {name} (there are: {', '.join(grid.cells)})"
            for name in names
            if name not in grid.cells
        ]
    )
    cells = [[cell.strip() for cell in grid.cells[name]] for name in names]
    return [_key(row, task) for row in zip(*cells, strict=True)]


def _key(ids: Key, task: Task) -> Key:
    return tuple(sorted(ids)) if task.level == "pair" else ids


def _wanted_keys(dataset: Dataset, part: str, targets: Targets, *, task: Task) -> list[Key]:
    """Return what each row of a part is about."""
    ids, members = dataset.proteins.ids, dataset.parts[part].members
    keys = [_key(tuple(ids[member] for member in row), task) for row in members.tolist()]
    if task.level != "residue":
        return keys
    lengths = np.diff(targets.offsets).tolist()
    return [
        (*key, str(position + 1))
        for key, length in zip(keys, lengths, strict=True)
        for position in range(length)
    ]


def _refuse_mismatch(path: Path, problems: Mapping[str, list[Key]], *, rows: int) -> None:
    found = [
        f"{len(keys):,} {problem} (for instance {', '.join('–'.join(key) for key in keys[:SHOWN])})"
        for problem, keys in problems.items()
        if keys
    ]
    if found:
        raise InputError(
            f"the rows differ from those that are scored ({rows:,}): {'; '.join(found)}",
            expected="one score for each of them",
            where=path,
        )
