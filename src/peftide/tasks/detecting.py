"""`--task auto`: the training tables → options with the task that their labels ask for."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from peftide.config import TrainConfig
from peftide.sequences import SequenceLookup, Table
from peftide.sequences.training_tables import TrainingTables
from peftide.tasks.detection import detect_task

logger = logging.getLogger(__name__)

AUTO = "auto"


def with_task(config: TrainConfig, tables: TrainingTables) -> TrainConfig:
    """Return the options with a task: the user's, or the one that the training labels show.

    Raises
    ------
    InputError
        If the labels fit several tasks.
    """
    if config.task != AUTO:
        return config
    table, pairs = tables.parts["train"], tables.has_pairs
    assert table.labels is not None
    task, reason = detect_task(
        table.labels.tolist(),
        lengths=None if pairs else sequence_lengths(table, tables.lookup),
        pairs=pairs,
        where=table.path,
    )
    what = "pairs" if pairs else "single sequences"
    logger.info("task: %s, for the labels of %s are %s (--task says otherwise)", task, what, reason)
    return replace(config, task=task)


def sequence_lengths(table: Table, lookup: SequenceLookup | None) -> Sequence[int] | None:
    """Return the residues of the sequence of each row; 0 if it is unknown."""
    if table.sequences is not None:
        return [len(sequence) for sequence in table.sequences[:, 0]]
    if lookup is None or table.ids is None:
        return None
    hits = [lookup.candidates(name) for name in table.ids[:, 0]]
    return [len(lookup.proteins.sequences[found[0]]) if found else 0 for found in hits]
