"""`peftide split`: a table in; the same rows out, each assigned to a part."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peftide.config import SplitConfig
from peftide.config.unread import (
    NOTHING,
    Choice,
    Names,
    choice_of,
    reading_choices,
    unread_problems,
)
from peftide.errors import InputError, raise_problems
from peftide.outputs import making_folder
from peftide.splitting.files import PREVIOUS, TABLE, write_split
from peftide.splitting.groups import similarity_settings
from peftide.splitting.plan import check_fractions, plan_split
from peftide.splitting.record import split_record
from peftide.splitting.rows import SplitRows, input_files, read_rows
from peftide.tasks.detection import detect_task, tasks_to_choose

logger = logging.getLogger(__name__)

SIMILARITY: Names = frozenset({"identity", "coverage"})


@dataclass(frozen=True)
class SplitResult:
    """The written files.

    Attributes
    ----------
    path
        The table with the split column.
    record
        Content of `split.json`.
    tasks
        Tasks to choose from, if the labels fit several: the likeliest first, and none if a training
        stops until the labels are corrected. None if there is nothing to choose.
    """

    path: Path
    record: dict[str, Any] = field(repr=False)
    tasks: tuple[str, ...] | None = None


def split(config: SplitConfig, *, given: Names = NOTHING) -> SplitResult:
    """Divide a table into train, validation and test, and write it with a split column.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        If the input or an option is wrong, a part would be empty, or the output exists.
    """
    raise_problems(unread_problems(config, choices(config), given=given))
    check_request(config)
    with making_folder(
        config.out, command="split", overwrite=config.overwrite, inputs=input_files(config)
    ) as work:
        rows = read_rows(config)
        if config.split_column in rows.header:
            old = f"{PREVIOUS}{config.split_column}"
            logger.warning("note: column %s is replaced, and kept as %s", config.split_column, old)
        tasks = fitting_tasks(rows, config)
        plan = plan_split(rows, config)
        record = split_record(rows, plan)
        content = write_split(rows, plan, record, config=config, work=work)
    return SplitResult(config.out / TABLE, content, tasks)


def fitting_tasks(rows: SplitRows, config: SplitConfig) -> tuple[str, ...] | None:
    """Return the tasks to choose from, and log why a training would stop at the labels."""
    if not rows.labels:
        if config.negatives == "sample":  # all pairs are positive
            return None
        logger.warning(
            "note: `peftide train` will stop at this table, because it has no column %s. Name the "
            "column with --label-column, or add it",
            config.label_column,
        )
        return ()
    if rows.wild_type is not None:
        return None
    single = rows.level == "sequence"
    texts = rows.proteins.sequences
    lengths = [len(texts[protein]) for protein in rows.members[:, 0]] if single else None
    try:
        detect_task(rows.labels, lengths=lengths, pairs=not single, place=rows.where)
    except InputError as error:
        logger.warning("note: `peftide train` will stop at these labels: %s", error)
        return tasks_to_choose(rows.labels, lengths=lengths, pairs=not single)
    return None


def choices(config: SplitConfig) -> Iterator[Choice]:
    """Yield the choices that decide whether options are read."""
    if config.kind in ("random", "position", "order"):
        # `--similarity none` says the same
        search = {"similarity"} if config.similarity != "none" else set[str]()
        yield Choice(f"--kind {config.kind}", SIMILARITY | search | {"clusters"})
    if config.clusters is not None:
        yield Choice("a split with --clusters", SIMILARITY | {"similarity"})
    if config.similarity == "none":
        yield Choice("--similarity none", SIMILARITY)
    yield from reading_choices(config)
    negatives = {"sample": frozenset({"negative_ratio"})}
    yield choice_of(f"--negatives {config.negatives}", negatives, config.negatives)


def check_request(config: SplitConfig) -> None:
    """Raise if an option is wrong.

    Raises
    ------
    InputError
        Names the option.
    """
    check_fractions(config.fractions)
    similarity_settings(config)  # fails now if MMseqs2 is missing, before any long work
