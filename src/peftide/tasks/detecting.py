"""`--task auto`: the training tables → options with the task that their labels ask for."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from peftide.config import TrainConfig
from peftide.errors import InputError, did_you_mean
from peftide.sequences import SequenceLookup, Table
from peftide.sequences.residue_labels import removed_stops
from peftide.sequences.training_tables import TrainingTables
from peftide.sequences.yes_no import is_yes
from peftide.tasks import TASKS, VARIANT_TASKS, Task
from peftide.tasks.detection import detect_task

logger = logging.getLogger(__name__)

AUTO = "auto"
Training = TypeVar("Training", bound=TrainConfig)


def find_task(name: str) -> Task:
    """Return a task by name.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in TASKS:
        raise InputError(f"received {name!r}", where="--task", fix=did_you_mean(name, TASKS))
    return TASKS[name]


def with_task(config: Training, tables: TrainingTables) -> Training:
    """Return the options with a task: the user's, or the one that the training labels show.

    Raises
    ------
    InputError
        If the labels fit several tasks.
    """
    if config.task != AUTO:
        return config
    task, reason = detected_task(tables)
    if tables.parts["train"].variants_of is not None:
        what = "mutants"
    else:
        what = "pairs" if tables.has_pairs else "single sequences"
    logger.info(
        "task: %s, because the labels of %s are %s (to change it: --task)", task, what, reason
    )
    return replace(config, task=task)


def detected_task(tables: TrainingTables) -> tuple[str, str]:
    """Return the task that the training labels show, and the reason in words.

    Raises
    ------
    InputError
        If the labels fit several tasks.
    """
    table, pairs = tables.parts["train"], tables.has_pairs
    assert table.labels is not None
    if table.variants_of is not None:
        task = _variant_task(table.labels.tolist())
        return task, "numbers" if task == VARIANT_TASKS[0] else "yes or no"
    return detect_task(
        table.labels.tolist(),
        lengths=None if pairs else sequence_lengths(table, tables.lookup),
        pairs=pairs,
        where=table.path,
        place=table.where,
        stops=removed_stops(table.findings + (tables.lookup.findings if tables.lookup else ())),
    )


def _variant_task(labels: Sequence[str]) -> str:
    values, yes_or_no = VARIANT_TASKS
    return yes_or_no if all(is_yes(label) is not None for label in labels) else values


def sequence_lengths(table: Table, lookup: SequenceLookup | None) -> Sequence[int] | None:
    """Return the residues of the sequence of each row; 0 if it is unknown."""
    if table.sequences is not None:
        return [len(sequence) for sequence in table.sequences[:, 0]]
    if lookup is None or table.ids is None:
        return None
    hits = [lookup.candidates(name) for name in table.ids[:, 0]]
    return [len(lookup.proteins.sequences[found[0]]) if found else 0 for found in hits]
