"""`peftide split`: a table in; the same rows with a part each out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peftide.config import SplitConfig
from peftide.config.limits import out_of_range
from peftide.config.reading import flag
from peftide.errors import raise_problems
from peftide.outputs import check_folder, refuse_inputs_inside
from peftide.splitting.files import TABLE, write_split
from peftide.splitting.groups import similarity_settings
from peftide.splitting.plan import check_fractions, plan_split
from peftide.splitting.record import split_record
from peftide.splitting.rows import input_files, read_rows

LIMITS = {"a number above 0": ["negative_ratio"], "0 or more, below 2,147,483,648": ["seed"]}


@dataclass(frozen=True)
class SplitResult:
    """The written files.

    Attributes
    ----------
    path
        The table with the split column.
    record
        Content of `split.json`.
    """

    path: Path
    record: dict[str, Any]


def split(config: SplitConfig) -> SplitResult:
    """Divide a table into train, validation and test, and write it with a split column.

    Raises
    ------
    InputError
        If the input or an option is wrong, a part would be empty, or the output exists.
    """
    check_request(config)
    rows = read_rows(config)
    plan = plan_split(rows, config)
    record = split_record(rows, plan)
    content = write_split(rows, plan, record, config=config)
    return SplitResult(config.out / TABLE, content)


def check_request(config: SplitConfig) -> None:
    """Raise if an option is wrong or the output may not be written.

    Raises
    ------
    InputError
        Saying which.
    """
    check_fractions(config.fractions)
    raise_problems(
        [
            f"{flag(name)}: received {value}, expected {expected}"
            for name, value, expected in out_of_range(config, LIMITS)
        ]
    )
    similarity_settings(config)  # before anything long
    check_folder(config.out, command="split", overwrite=config.overwrite)
    refuse_inputs_inside(config.out, input_files(config))
