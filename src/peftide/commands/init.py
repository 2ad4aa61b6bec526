"""`peftide init`: a task and its files in; a commented YAML file for `peftide train` out."""

import re
import shlex
from dataclasses import fields
from pathlib import Path

from peftide.config import InitConfig, TrainConfig
from peftide.config.templates import template_lines
from peftide.config.unread import Choice, reading_choices, unread_options
from peftide.files import is_pipe, write_text
from peftide.outputs import check_file
from peftide.sequences.text_files import open_lines
from peftide.tasks import TASKS
from peftide.tasks.detecting import AUTO, find_task
from peftide.training.options import check_names, choices

FIRST_LINE = "# Options of `peftide train`, written by `peftide init`."
ACTIVE = frozenset(
    {"task", "data", "sequences", "out", "method", "backbone", "max_length"}
    | {"epochs", "batch_size", "seed", "device"}
)
"""Options that the file sets; all others are comments."""
LEFT_OUT = frozenset({"resume", "debug", "overwrite"})
"""Options of one call, not of a training."""


def init(config: InitConfig) -> Path:
    """Write a commented YAML file with the options of a training.

    Returns
    -------
    The file.

    Raises
    ------
    InputError
        If the task, method or backbone is unknown, or the file exists.
    """
    training = training_of(config)
    check_names(training)
    check_file(
        config.out,
        command="init",
        overwrite=config.overwrite,
        inputs=(config.data, config.sequences),
        is_ours=is_template,
    )
    write_text(config.out, template(training, config.out), tidy=True)
    return config.out


def training_of(config: InitConfig) -> TrainConfig:
    """Return the options of the training; file names that the user did not give are examples."""
    pairs = config.task == AUTO or find_task(config.task).level == "pair"
    data, sequences = config.data, config.sequences
    if data is None:
        data = Path("pairs.tsv" if pairs else "table.tsv")
        sequences = sequences or (Path("proteins.fasta") if pairs else None)
    return TrainConfig(
        task=config.task,
        method=config.method,
        backbone=config.backbone,
        data=data,
        sequences=sequences,
        out=Path(f"{config.out.stem}_run"),
    )


def columns_of(training: TrainConfig) -> list[str]:
    """Return the columns of the table of all parts; none if it is a pipe or not there."""
    table = training.data
    if not isinstance(table, Path) or is_pipe(table) or not table.is_file():
        return []
    header = next(iter(open_lines(table)), "")
    return re.findall(r"[^\t,;\"]+", header.rstrip("\r\n"))


def template(config: TrainConfig, path: Path) -> str:
    """Return the content of the file: every option that the task and the method read."""
    everything = frozenset(field.name for field in fields(TrainConfig))
    decided: list[Choice] = []
    if config.task != AUTO:
        decided = [*choices(config, TASKS[config.task]), *reading_choices(config)]
    unread = frozenset(unread_options(config, decided, given=everything))
    active = ACTIVE if config.sequences is not None else ACTIVE - {"sequences"}
    head = [
        FIRST_LINE,
        f"# Train with: peftide train --config {shlex.quote(str(path))}",
        "# A line such as `#patience: 5` shows a default. Remove the # to change the value.",
    ]
    lines = template_lines(config, without=unread | LEFT_OUT, active=active)
    return "\n".join([*head, *lines]) + "\n"


def is_template(path: Path) -> bool:
    """Return whether `peftide init` wrote a file."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline().rstrip("\n") == FIRST_LINE
