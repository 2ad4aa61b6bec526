"""The rows of a data set → the options of label reading, and targets."""

from pathlib import Path

import numpy as np

from peftide.errors import InputError
from peftide.outcomes.outcome import Labels, ReadingOptions, Targets
from peftide.sequences import Dataset, Examples
from peftide.tasks.task import Task


def reading_options(
    dataset: Dataset, part: str, *, max_length: int | None, class_map: Path | None
) -> ReadingOptions:
    """Return the options for reading the labels of a part."""
    examples, proteins = dataset.parts[part], dataset.proteins
    lengths = np.array([len(sequence) for sequence in proteins.sequences], dtype=np.int64)
    firsts = lengths[examples.members[:, 0]]
    limit = np.iinfo(np.int64).max if max_length is None else max_length
    return ReadingOptions(part, np.minimum(firsts, limit), firsts, class_map)


def read_labels(
    dataset: Dataset, task: Task, *, max_length: int | None, class_map: Path | None
) -> tuple[Labels, dict[str, Targets]]:
    """Return the training labels, and the targets of every part."""

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
