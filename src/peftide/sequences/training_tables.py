"""The options of a training or an audit → its tables, read and checked as one data set."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from peftide.config import AuditConfig, TrainConfig
from peftide.errors import InputError, raise_problems
from peftide.sequences.dataset import read_dataset
from peftide.sequences.held_out import hold_out_validation
from peftide.sequences.parts import split_by_column
from peftide.sequences.records import Dataset, Finding
from peftide.sequences.repeats import distinct_sequences
from peftide.sequences.shared import check_shared_proteins
from peftide.sequences.tables import Table, read_table
from peftide.types import Level

TRAINING_TABLES = "--train FILE, or --data FILE with a split column"


def read_training_data(config: TrainConfig, level: Level) -> Dataset:
    """Read all parts, check them against each other, and hold out validation if there is none.

    Raises
    ------
    InputError
        For everything that is wrong with the tables.
    """
    tables = training_tables(config, level)
    dataset = read_dataset(tables, config, level=level)
    dataset = check_shared_proteins(dataset, config.shared_proteins)
    if "validation" not in dataset.parts:
        dataset = hold_out_validation(
            dataset,
            fraction=config.validation_fraction,
            kind="none_seen" if config.validation_kind == "none_seen" else "random",
            seed=config.seed,
        )
        dataset = count_shared_validation(dataset)
    return dataset


def count_shared_validation(dataset: Dataset) -> Dataset:
    """Count the proteins that a validation part taken from train still shares with it."""
    numbers = distinct_sequences(dataset.proteins)
    train, validation = dataset.parts["train"], dataset.parts["validation"]
    shared = np.intersect1d(numbers[train.members], numbers[validation.members])
    if not len(shared):
        return dataset
    decision = (
        "proteins that train has too, since its pairs were taken at random: scores on it are "
        "higher than on new proteins (`--validation-kind none_seen` takes whole proteins)"
    )
    finding = Finding("validation", "shared_proteins", len(shared), decision)
    return replace(dataset, findings=(*dataset.findings, finding))


def training_tables(config: TrainConfig | AuditConfig, level: Level) -> dict[str, Table]:
    """Read the table of each part.

    Raises
    ------
    InputError
        If a table is wrong, or there is none to train on.
    """
    if config.data is not None:
        if config.train is not None or config.validation is not None:
            raise InputError(
                "--data together with --train or --validation",
                expected="one table for all parts, or one per part",
            )
        table = read_table(config.data, config, level=level, needs_labels=True)
        tables = split_by_column(table, column=config.split_column)
    elif config.train is not None:
        tables = {"train": read_table(config.train, config, level=level, needs_labels=True)}
    else:
        raise InputError("no training table", expected=TRAINING_TABLES)
    if config.validation is not None:
        tables["validation"] = read_table(config.validation, config, level=level, needs_labels=True)
    for name, path in named_tests(config.test):
        if name in tables:
            raise InputError(f"two parts named {name}", where="--test", fix="Use NAME=FILE")
        tables[name] = read_table(path, config, level=level, needs_labels=True)
    if "train" not in tables:
        raise InputError(
            f"no row of the part train (parts: {', '.join(tables)})", where=config.data or ""
        )
    return tables


def named_tests(tests: tuple[str, ...]) -> list[tuple[str, Path]]:
    """Return name and file of each `--test FILE` or `--test NAME=FILE`.

    Examples
    --------
    >>> named_tests(("x.tsv", "yeast=y.tsv"))
    [('test', PosixPath('x.tsv')), ('yeast', PosixPath('y.tsv'))]

    Raises
    ------
    InputError
        If a name is that of another part, or no plain word.
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
        If one is not there.
    """
    named = [config.data, config.train, config.validation, config.sequences]
    named += [config.class_map] if isinstance(config, TrainConfig) else []
    files = [path for path in named if path is not None]
    files += [path for _, path in named_tests(config.test)]
    raise_problems([f"{path}: no such file" for path in files if not path.is_file()])
    return files
