"""The tables of a command → one data set, with what was counted said and recorded."""

import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from peftide.backbones import Backbone
from peftide.config import AuditConfig, TrainConfig
from peftide.errors import InputError, raise_problems
from peftide.sequences import (
    Dataset,
    Examples,
    Finding,
    Proteins,
    Table,
    check_shared_proteins,
    distinct_sequences,
    hold_out_validation,
    read_dataset,
    read_table,
    split_by_column,
)
from peftide.tasks import Labels, ReadingOptions, Targets, Task
from peftide.types import IntArray, Level

logger = logging.getLogger(__name__)

TRAINING_TABLES = "--train FILE, or --data FILE with a split column"


def read_training_data(config: TrainConfig, task: Task) -> Dataset:
    """Read all parts, check them against each other, and hold out validation if there is none.

    Raises
    ------
    InputError
        For everything that is wrong with the tables.
    """
    tables = training_tables(config, task.level)
    dataset = read_dataset(tables, config, level=task.level)
    dataset = check_shared_proteins(dataset, config.shared_proteins)
    if "validation" not in dataset.parts:
        dataset = hold_out_validation(
            dataset,
            fraction=config.validation_fraction,
            kind=config.validation_kind,
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


def backbone_findings(
    proteins: Proteins, backbone: Backbone, *, max_length: int | None
) -> tuple[Finding, ...]:
    """Count what the model will not see: residues beyond the crop, letters without a token."""
    findings = []
    if max_length is not None:
        cropped = [
            identifier
            for identifier, sequence in zip(proteins.ids, proteins.sequences, strict=True)
            if len(sequence) > max_length
        ]
        decision = f"cropped to their first {max_length:,} residues"
        findings.append(_finding("over_long_sequences", cropped, decision))
    unknown = backbone.vocabulary.unknown_letters
    foreign = [
        identifier
        for identifier, sequence in zip(proteins.ids, proteins.sequences, strict=True)
        if not unknown.isdisjoint(sequence)
    ]
    decision = f"letters without a token ({', '.join(sorted(unknown))}) are read as X"
    findings.append(_finding("sequences_with_unknown_residues", foreign, decision))
    return tuple(finding for finding in findings if finding.count)


def _finding(kind: str, ids: list[str], decision: str) -> Finding:
    return Finding("sequences", kind, len(ids), decision, tuple(ids[:3]))


def reading_options(
    dataset: Dataset, part: str, *, max_length: int | None, class_map: Path | None
) -> ReadingOptions:
    """Return what label reading must know of the sequences of a part."""
    examples, proteins = dataset.parts[part], dataset.proteins
    lengths = np.array([len(sequence) for sequence in proteins.sequences], dtype=np.int64)
    firsts = lengths[examples.members[:, 0]]
    limit = np.iinfo(np.int64).max if max_length is None else max_length
    return ReadingOptions(part, np.minimum(firsts, limit), firsts, class_map)


def read_labels(
    dataset: Dataset, task: Task, *, max_length: int | None, class_map: Path | None
) -> tuple[Labels, dict[str, Targets]]:
    """Return the labels that training has, and the targets of every part."""

    def options(part: str) -> ReadingOptions:
        return reading_options(dataset, part, max_length=max_length, class_map=class_map)

    labels = task.fit_labels(dataset.parts["train"], options("train"))
    targets = {
        part: task.read_targets(examples, labels, options(part))
        for part, examples in dataset.parts.items()
    }
    require_varied(targets["validation"], dataset.parts["validation"])
    return labels, targets


def require_varied(targets: Targets, validation: Examples) -> None:
    """Raise if all validation rows have one label: no score could choose the best epoch.

    Raises
    ------
    InputError
        If that is so.
    """
    values = targets.values[targets.counted]
    if len(np.unique(values, axis=0)) < 2:
        raise InputError(
            f"the validation rows that count ({len(values):,}) all have the same label",
            expected="labels that differ, for they choose the best epoch",
            where=validation.path,
            fix="Give another table with --validation, or a larger --validation-fraction",
        )


def say_findings(findings: tuple[Finding, ...]) -> None:
    """Log everything that was counted; examples of each are in the run record."""
    for finding in findings:
        kind = finding.kind.replace("_", " ")
        logger.warning(
            "note: %s: %s %s: %s", finding.part, f"{finding.count:,}", kind, finding.decision
        )


def member_proteins(examples: Examples, proteins: Proteins) -> tuple[Proteins, IntArray]:
    """Return the proteins that some examples name, and the examples' members among them."""
    used, local = np.unique(examples.members, return_inverse=True)
    chosen = Proteins(
        tuple(proteins.ids[index] for index in used),
        tuple(proteins.sequences[index] for index in used),
    )
    return chosen, local.reshape(examples.members.shape)
