"""`--task auto`: the training table → options with the task that its labels ask for."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from peftide.config import TrainConfig
from peftide.errors import InputError
from peftide.sequences import Table, part_name, read_fasta, read_table, table_level
from peftide.sequences.training_tables import TRAINING_TABLES
from peftide.tasks.detection import detect_task

logger = logging.getLogger(__name__)

AUTO = "auto"


def with_task(config: TrainConfig) -> TrainConfig:
    """Return the options with a task: that of the user, or the one that the training table shows.

    Raises
    ------
    InputError
        If there is no training table, or its labels fit several tasks.
    """
    path = config.train if config.data is None else config.data
    if config.task != AUTO:
        return config
    if path is None:
        raise InputError("no training table", expected=TRAINING_TABLES)
    pairs = table_level(path, config) == "pair"
    # labels of residues may begin or end with a space, which other levels would lose
    level = "pair" if pairs else "residue"
    table = training_rows(read_table(path, config, level=level, needs_labels=True))
    task, reason = detect_task(
        () if table.labels is None else table.labels.tolist(),
        lengths=None if pairs else sequence_lengths(table, config.sequences),
        pairs=pairs,
        where=path,
    )
    what = "pairs" if pairs else "single sequences"
    logger.info("task: %s, for the labels of %s are %s (--task says otherwise)", task, what, reason)
    return replace(config, task=task)


def training_rows(table: Table) -> Table:
    """Return the rows that the split column gives to train; without such rows all of them."""
    if table.splits is None:
        return table
    names = {value: part_name(value) for value in set(table.splits)}
    rows = np.array([names[value] == "train" for value in table.splits])
    return table.select(rows) if rows.any() else table


def sequence_lengths(table: Table, fasta: Path | None) -> Sequence[int] | None:
    """Return the residues of each row's sequence, of the table or the FASTA file; 0 if unknown."""
    if table.sequences is not None:
        return [len(sequence) for sequence in table.sequences[:, 0]]
    if fasta is None or table.ids is None:
        return None
    proteins, _ = read_fasta(fasta)
    lengths = dict(zip(proteins.ids, map(len, proteins.sequences), strict=True))
    return [lengths.get(name, 0) for name in table.ids[:, 0]]
