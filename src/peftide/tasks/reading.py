"""The rows of a data set → the options of label reading, and targets."""

from collections import Counter
from pathlib import Path

import numpy as np

from peftide.config.reading import flag
from peftide.errors import InputError
from peftide.outcomes.outcome import Labels, ReadingOptions, Targets
from peftide.sequences import Dataset, Examples
from peftide.sequences.residue_labels import removed_stops
from peftide.sequences.text_files import read_text
from peftide.tasks.task import Task


def reading_options(
    dataset: Dataset,
    part: str,
    *,
    max_length: int | None,
    class_map: Path | None = None,
    classes: tuple[str, ...] = (),
) -> ReadingOptions:
    """Return the options for reading the labels of a part."""
    examples, proteins = dataset.parts[part], dataset.proteins
    lengths = np.array([len(sequence) for sequence in proteins.sequences], dtype=np.int64)
    firsts = lengths[examples.members[:, 0]]
    limit = np.iinfo(np.int64).max if max_length is None else max_length
    stops = removed_stops(dataset.findings)
    return ReadingOptions(part, np.minimum(firsts, limit), firsts, class_map, classes, stops)


def read_class_names(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that `--classes` gives: several names, or those on the lines of one file.

    Raises
    ------
    InputError
        If the file cannot be read, or a name is empty or occurs twice.
    """
    where = flag("classes")
    if len(given) == 1:
        where = given[0]
        given = tuple(line for line in read_text(Path(where)).splitlines() if line.strip())
    names = tuple(name.strip() for name in given)
    twice = [name for name, count in Counter(names).items() if count > 1 or not name]
    if twice or len(names) == 1:
        fault = f"the name {twice[0]!r} is empty or occurs twice" if twice else "one name only"
        raise InputError(fault, expected="a different name for each column of 0 and 1", where=where)
    return names


def read_labels(
    dataset: Dataset,
    task: Task,
    *,
    max_length: int | None,
    class_map: Path | None = None,
    classes: tuple[str, ...] = (),
) -> tuple[Labels, dict[str, Targets]]:
    """Return the training labels, and the targets of every part."""

    def options(part: str) -> ReadingOptions:
        return reading_options(
            dataset, part, max_length=max_length, class_map=class_map, classes=classes
        )

    require_other_pairs(dataset.parts["train"])
    labels = task.fit_labels(dataset.parts["train"], options("train"))
    targets = {
        part: task.read_targets(examples, labels, options(part))
        for part, examples in dataset.parts.items()
    }
    require_varied(targets["validation"], dataset.parts["validation"])
    return labels, targets


def require_other_pairs(train: Examples) -> None:
    """Raise if all training pairs are left out because they are of a protein with itself.

    Raises
    ------
    InputError
        If that is so.
    """
    if train.members.shape[1] == 2 and not train.counted.any():
        raise InputError(
            "all training pairs are of a protein with itself, and so left out of training",
            where=train.path,
            fix="Pass --self-pairs keep to train on them",
        )


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
            expected="labels that differ, for they choose among models",
            where=validation.path,
            fix="Move rows with other labels into validation. If validation is drawn from train, "
            "raise --validation-fraction",
        )
