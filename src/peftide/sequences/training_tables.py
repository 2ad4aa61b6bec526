"""The options of a training or an audit → its tables, each file read once."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from peftide.config import AuditConfig, TrainConfig
from peftide.errors import InputError, Problems, raise_problems
from peftide.files import is_readable, missing_file
from peftide.sequences.lookup import SequenceLookup, sequence_lookup
from peftide.sequences.parts import split_by_column
from peftide.sequences.tables import Table, read_table
from peftide.types import Level

logger = logging.getLogger(__name__)

TRAINING_TABLES = "--train FILE, or --data FILE with a split column"


@dataclass(frozen=True, eq=False)
class TrainingTables:
    """All tables of a training or an audit, each file read once.

    Attributes
    ----------
    parts
        The table of each part, "train" included.
    lookup
        Sequences of the FASTA file, or None if no file is given.
    """

    parts: dict[str, Table]
    lookup: SequenceLookup | None = None

    @property
    def has_pairs(self) -> bool:
        """Whether rows name two proteins."""
        return self.parts["train"].has_pairs


def read_training_tables(
    config: TrainConfig | AuditConfig,
    level: Level | None = None,
    problems: Problems | None = None,
) -> TrainingTables:
    """Read the table of each part, and the FASTA file if there is one.

    Parameters
    ----------
    config
        The options.
    level
        Unit of a label. None: the columns of the training table decide whether rows are pairs or
        single sequences.
    problems
        Gets the problems of rows and of the FASTA file. None: the problems of all files are raised.

    Raises
    ------
    InputError
        If a file is wrong, or there is no training table.
    """
    found = Problems() if problems is None else problems
    parts = _read_parts(config, level, found)
    if "train" not in parts:
        found.raise_all()
        raise InputError(
            f"no row of the part train (parts: {', '.join(parts)})",
            where=next(iter(parts.values())).path,
        )
    lookup = None
    if config.sequences is not None and parts["train"].variants_of is None:
        with found.collected():
            lookup = sequence_lookup(config.sequences)
    if problems is None:
        found.raise_all()
    return TrainingTables(parts, lookup)


def _read_parts(
    config: TrainConfig | AuditConfig, level: Level | None, problems: Problems
) -> dict[str, Table]:
    source = config.train if config.data is None else config.data
    if source is None:
        raise InputError("no training table", expected=TRAINING_TABLES)
    if config.data is not None and (config.train is not None or config.validation is not None):
        raise InputError(
            "--data together with --train or --validation",
            expected="one table for all parts, or one per part",
        )
    others = named_tests(config.test)
    table = read_table(source, config, level=level, needs_labels=True, problems=problems)
    if level is None:
        level = "pair" if table.has_pairs else "sequence"
    parts = {"train": table}
    if config.data is not None:
        parts = _by_column(table, config, problems)
    if config.validation is not None:
        others.insert(0, ("validation", config.validation))
    for name, path in others:
        if name in parts:
            raise InputError(f"two parts named {name}", where="--test", fix="Use NAME=FILE")
        with problems.collected():
            parts[name] = read_table(
                path, config, level=level, needs_labels=True, problems=problems
            )
    return parts


def _by_column(
    table: Table, config: TrainConfig | AuditConfig, problems: Problems
) -> dict[str, Table]:
    """Return the parts that the split column names; variants without the column are all train."""
    if table.splits is not None or table.variants_of is None:
        return split_by_column(table, column=config.split_column, options=config, problems=problems)
    logger.warning(
        "note: %s has no column %s: all rows are train, and validation is held out; for a score "
        "on test, let `peftide split --kind position` make the column",
        table.path,
        config.split_column,
    )
    return {"train": table}


def named_tests(tests: tuple[str, ...]) -> list[tuple[str, Path]]:
    """Return name and file of each `--test FILE` or `--test NAME=FILE`.

    Examples
    --------
    >>> named_tests(("x.tsv", "yeast=y.tsv"))
    [('test', PosixPath('x.tsv')), ('yeast', PosixPath('y.tsv'))]

    Raises
    ------
    InputError
        If a name is already used by another part, or has characters that are not allowed.
    """
    named = []
    for name, path in named_files(tests):
        if name in ("train", "validation") or not re.fullmatch(r"[\w.-]*", name):
            raise InputError(
                f"a test part named {name}",
                expected="letters, digits, '_', '-', '.'; not train or validation",
                where="--test",
                fix="Write NAME=FILE",
            )
        named.append((name or "test", path))
    return named


def named_files(texts: Sequence[str]) -> list[tuple[str, Path]]:
    """Return name and file of each `FILE` or `NAME=FILE`; without a name it is empty.

    Examples
    --------
    >>> named_files(("x.tsv", "yeast=y.tsv"))
    [('', PosixPath('x.tsv')), ('yeast', PosixPath('y.tsv'))]
    """
    parts = [text.rpartition("=") for text in texts]
    return [(name, Path(path)) for name, _, path in parts]


def data_files(config: TrainConfig | AuditConfig) -> list[Path]:
    """Return all files that a training or an audit reads.

    Raises
    ------
    InputError
        If a file does not exist.
    """
    named = [config.data, config.train, config.validation, config.sequences]
    if isinstance(config, TrainConfig):
        one_file = [Path(name) for name in config.classes if len(config.classes) == 1]
        named += [config.class_map, *one_file]
    files = [path for path in named if isinstance(path, Path)]
    files += [path for _, path in named_tests(config.test)]
    raise_problems([missing_file(path) for path in files if not is_readable(path)])
    return files
