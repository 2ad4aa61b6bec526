"""A training whose rows have a problem → the problems that later steps would find in its rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from peftide.config import TrainConfig
from peftide.errors import Problems
from peftide.outcomes.outcome import ReadingOptions
from peftide.sequences import Examples, SequenceLookup, Table, read_dataset
from peftide.sequences.training_tables import TrainingTables
from peftide.tasks.detecting import AUTO, detected_task, find_task, sequence_lengths
from peftide.tasks.reading import read_class_names
from peftide.tasks.task import Task
from peftide.types import BoolArray


@contextmanager
def naming_all(config: TrainConfig, tables: TrainingTables | None) -> Iterator[None]:
    """Add to the first error of the reading inside the problems of all other rows.

    Raises
    ------
    InputError
        Names the problems of ids, sequences and labels together.
    """
    problems = Problems()
    with problems.collected():
        yield
    if problems.found and tables is not None:
        add_row_problems(problems, config, tables)
    problems.raise_all()


def add_row_problems(problems: Problems, config: TrainConfig, tables: TrainingTables) -> None:
    """Read ids, sequences and labels of the rows without a problem so far; add what is wrong."""
    complete = {part: table.select(is_complete(table)) for part, table in tables.parts.items()}
    complete = {part: table for part, table in complete.items() if len(table)}
    left = TrainingTables(complete, tables.lookup)
    if "train" not in complete:
        return
    name = config.task
    with problems.collected():
        name = detected_task(left)[0] if name == AUTO else name
    task = None if name == AUTO else find_task(name)
    level = task.level if task else "pair" if left.has_pairs else "sequence"
    with problems.collected(only_of_rows=True):
        read_dataset(complete, config, level=level, sequences=left.lookup)
    for part, table in complete.items():
        if task is not None:
            with problems.collected(only_of_rows=True):
                one = Lone(part, table, left.lookup)
                names = read_class_names(config.classes)
                fit_alone(task, one, class_map=config.class_map, classes=names)


def is_complete(table: Table) -> BoolArray:
    """Mark the rows in which no cell is empty. Shape (B,)."""
    known = np.ones(len(table), dtype=bool)
    for cells in (table.ids, table.sequences, table.labels):
        if cells is not None:
            stripped = [str(cell).strip() != "" for cell in cells.ravel()]
            known &= np.array(stripped, dtype=bool).reshape(len(table), -1).all(axis=1)
    return known


@dataclass(frozen=True)
class Lone:
    """One part of the tables of a training, with the sequences of its ids."""

    name: str
    table: Table
    lookup: SequenceLookup | None


def fit_alone(
    task: Task, part: Lone, *, class_map: Path | None = None, classes: tuple[str, ...] = ()
) -> None:
    """Read the labels of one part alone, so that an error names all its rows.

    Raises
    ------
    InputError
        If a label cannot be read.
    """
    table, lengths = part.table, np.zeros(len(part.table), dtype=np.int64)
    if task.level == "residue":
        lengths[:] = sequence_lengths(table, part.lookup) or 0
        table, lengths = table.select(lengths > 0), lengths[lengths > 0]
    assert table.labels is not None
    labels = table.labels if task.level == "residue" else [cell.strip() for cell in table.labels]
    examples = Examples(
        path=table.path,
        lines=table.lines,
        members=np.zeros((len(table), 1), dtype=np.int64),
        counted=np.ones(len(table), dtype=bool),
        labels=tuple(labels),
        masks=None if table.masks is None else tuple(table.masks),
    )
    task.fit_labels(examples, ReadingOptions(part.name, lengths, lengths, class_map, classes))
