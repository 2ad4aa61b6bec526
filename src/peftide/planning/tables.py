"""The tables of a plan: refused if a file is missing, made up from sequences if none is given."""

import csv
from dataclasses import replace
from pathlib import Path

from peftide.config import TrainConfig
from peftide.config.unread import NOTHING, Names
from peftide.errors import InputError
from peftide.files import is_readable
from peftide.sequences import read_fasta
from peftide.sequences.training_tables import TRAINING_TABLES, data_files
from peftide.tasks.detecting import AUTO, find_task
from peftide.training.options import check_options

WITHOUT_TABLE = ("regression", "binary")
"""Tasks that can be planned from sequences alone, with made-up labels."""


def check_request(config: TrainConfig, *, given: Names = NOTHING) -> None:
    """Raise if a file of a plan is missing, or its options do not fit; no table is read.

    Raises
    ------
    InputError
        Names the files or options.
    """
    if config.data is None and config.train is None:
        _task_without_table(config)
    data_files(config)
    if config.task != AUTO:
        check_options(config, find_task(config.task), given=given)


def _task_without_table(config: TrainConfig) -> str:
    task = WITHOUT_TABLE[0] if config.task == AUTO else config.task
    if config.sequences is None or task not in WITHOUT_TABLE:
        raise InputError("no training table", expected=TRAINING_TABLES)
    if not is_readable(config.sequences):
        raise InputError(f"{config.sequences}: no such file", where="--sequences")
    return task


def with_table(config: TrainConfig, scratch: Path) -> tuple[TrainConfig, tuple[str, ...]]:
    """Return the training with its table, or with a table of all sequences and made-up labels.

    Raises
    ------
    InputError
        If the task needs a table and there is none.
    """
    if config.data is not None or config.train is not None:
        return config, ()
    task = _task_without_table(config)
    assert config.sequences is not None
    proteins, _ = read_fasta(config.sequences)
    path = scratch / "labels.tsv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t")
        writer.writerow([config.id_column, config.label_column])
        writer.writerows((name, number % 2) for number, name in enumerate(proteins.ids))
    said = (
        f"no training table was given: every sequence in {config.sequences} counts as one example "
        f"of {task}, and a tenth of them as validation"
    )
    return replace(config, task=task, train=path), (said,)
