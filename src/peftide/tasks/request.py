"""The options of a training → its request: options with a task, and the tables, each read once."""

from dataclasses import dataclass
from pathlib import Path

from peftide.config import TrainConfig
from peftide.config.unread import NOTHING, Names
from peftide.errors import Problems
from peftide.sequences.training_tables import TrainingTables, read_training_tables
from peftide.tasks.detecting import AUTO, Training, find_task, with_task
from peftide.tasks.row_problems import add_row_problems
from peftide.tasks.task import Task


@dataclass(frozen=True)
class Request:
    """A training as it was asked for, with its tables read.

    Attributes
    ----------
    config
        Options with a task that exists.
    files
        All files that it reads.
    given
        Options that the user named, even if at their default.
    chosen
        These, and options with other values than their defaults, before peftide decided any.
    """

    config: TrainConfig
    task: Task
    tables: TrainingTables
    files: tuple[Path, ...]
    given: Names = NOTHING
    chosen: Names = NOTHING


def read_request(config: Training) -> tuple[Training, Task, TrainingTables]:
    """Read the tables of a training once; return the options with a task, the task, and the tables.

    Raises
    ------
    InputError
        Names the problems of all rows; or the labels fit several tasks.
    """
    level = None if config.task == AUTO else find_task(config.task).level
    problems = Problems()
    tables = read_training_tables(config, level, problems)
    if problems.found:
        add_row_problems(problems, config, tables)
    problems.raise_all()
    config = with_task(config, tables)
    return config, find_task(config.task), tables
