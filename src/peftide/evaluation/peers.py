"""Score files of other tools, or of other runs → their answers for the rows of a labelled part."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from peftide.baselines import BASELINES
from peftide.config import TableOptions
from peftide.errors import InputError, raise_problems
from peftide.evaluation.decisions import DEFAULT_THRESHOLD
from peftide.evaluation.part_scores import MODEL, Answers
from peftide.evaluation.rows import ScoredPart
from peftide.sequences.delimited import Grid, read_grid
from peftide.sequences.training_tables import named_files
from peftide.tasks import Task
from peftide.types import FloatArray

logger = logging.getLogger(__name__)

Key = tuple[str, ...]
"""Key of a row: a sorted pair of ids, an id, or an id and a position."""
SHOWN = 3


def peer_files(given: Sequence[str], taken: Sequence[str], *, flag: str) -> dict[str, Path]:
    """Return the file of each peer by name; without a given name, the file name is used.

    Raises
    ------
    InputError
        If two peers have the same name, or a name is already taken in the result.

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


def read_peers(
    given: Sequence[str], part: ScoredPart, *, columns: TableOptions
) -> dict[str, Answers]:
    """Return the answers of each score file for the rows of a part that enter the scores.

    Parameters
    ----------
    given
        FILE or NAME=FILE, as `--against`.

    Raises
    ------
    InputError
        If a name is taken, or a file does not fit the part.
    """
    files = peer_files(given, [MODEL, *BASELINES], flag="--against")
    return {name: read_peer(path, part, columns=columns) for name, path in files.items()}


def read_peer(path: Path, part: ScoredPart, *, columns: TableOptions) -> Answers:
    """Return the answers of a file for the rows of a part that enter the scores, in their order.

    The order of rows, and of the two ids in a pair, does not matter. Repeated rows with the same
    scores count once. Rows of the part that do not enter the scores may be missing.

    Parameters
    ----------
    columns
        Names of the id columns, both in the file and in the labelled table.

    Returns
    -------
    Answers
        Scores (R,), or one column per class (R, K). Binary scores have no threshold.

    Raises
    ------
    InputError
        If a column is missing, a score is not a finite number, or rows are missing, unknown, or
        repeated with different scores.
    """
    grid = read_grid(path, _looked_for(part, columns))
    scores = _numbers(grid, _value_columns(grid, part))
    found = _row_keys(grid, part.task, columns)
    wanted = _wanted_keys(part)
    counted = part.targets.counted
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
            "repeated with different scores": repeated,
        },
        rows=int(counted.sum()),
    )
    if len(first) < len(found):
        logger.warning(
            "note: %s: %s rows repeat an earlier row with the same scores; the first one counts",
            path,
            f"{len(found) - len(first):,}",
        )
    rows = [first[key] for key, counts in zip(wanted, counted, strict=True) if counts]
    outcome = part.task.outcome
    chosen = scores[rows] if outcome.has_classes else scores[rows, 0]
    return Answers(chosen, None if outcome.ranking else DEFAULT_THRESHOLD)


def _looked_for(part: ScoredPart, columns: TableOptions) -> list[str]:
    """Return the names of all columns that a score file may have."""
    choices = part.task.outcome.score_columns(part.labels)
    return [*_id_columns(part.task, columns), *(name for names in choices for name in names)]


def _id_columns(task: Task, columns: TableOptions) -> tuple[str, ...]:
    return {
        "pair": (columns.id_a_column, columns.id_b_column),
        "sequence": (columns.id_column,),
        "residue": (columns.id_column, "position"),
    }[task.level]


def _value_columns(grid: Grid, part: ScoredPart) -> list[str]:
    """Return the columns with the answers of a file."""
    choices = part.task.outcome.score_columns(part.labels)
    for wanted in choices:
        if all(name in grid.cells for name in wanted):
            return wanted
    missing = [name for name in choices[-1] if name not in grid.cells]
    raise InputError(
        f"no column {', '.join(missing[:SHOWN])} (there are: {', '.join(grid.cells)})",
        expected="the columns id_a id_b score for pairs, id score for sequences, "
        "and p_<class> for each class if there are several",
        where=grid.path,
    )


def _numbers(grid: Grid, names: Sequence[str]) -> FloatArray:
    """Return columns as finite numbers. Shape (B, K)."""
    values = np.array([[_number(cell) for cell in grid.cells[name]] for name in names]).T
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if bad.size:
        row, column = bad[0], int(np.flatnonzero(~np.isfinite(values[bad[0]]))[0])
        raise InputError(
            f"{bad.size:,} of {len(values):,} rows have a score that is not a finite number "
            f"(the first: {grid.cells[names[column]][row]!r})",
            where=f"{grid.path}:{grid.lines[row]}",
            fix="Every row of the labelled table needs a score; give rows without one the worst",
        )
    return values


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _row_keys(grid: Grid, task: Task, columns: TableOptions) -> list[Key]:
    """Return the key of each row of a file."""
    names = _id_columns(task, columns)
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


def _wanted_keys(part: ScoredPart) -> list[Key]:
    """Return the key of each row of a part."""
    ids, members = part.dataset.proteins.ids, part.examples.members
    keys = [_key(tuple(ids[member] for member in row), part.task) for row in members.tolist()]
    if part.task.level != "residue":
        return keys
    lengths = np.diff(part.targets.offsets).tolist()
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
            f"the rows differ from the {rows:,} scored rows of the table: {'; '.join(found)}",
            expected="one score for each scored row",
            where=path,
        )
