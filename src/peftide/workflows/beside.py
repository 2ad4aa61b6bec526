"""Baselines that stand beside every score: what needs no language model at all."""

import numpy as np

from peftide.baselines import fit_composition, fit_residue_letters
from peftide.sequences import Dataset, Examples
from peftide.tasks import Labels, Targets, Task
from peftide.types import FloatArray, IntArray


def baseline_answers(
    dataset: Dataset, targets: dict[str, Targets], task: Task, *, labels: Labels
) -> tuple[str, dict[str, FloatArray]]:
    """Return the name of the baseline that fits the task, and its answers for every other part.

    Pairs and sequences: residue composition and length, linear. Residues: how often each class
    goes with each residue letter. Fitted on the training part.
    """
    if task.level == "residue":
        return "residue_letter", _residue_letter(dataset, targets, labels)
    return "composition", _composition(dataset, targets, task)


def _composition(
    dataset: Dataset, targets: dict[str, Targets], task: Task
) -> dict[str, FloatArray]:
    train, counted = dataset.parts["train"], targets["train"].counted
    values = targets["train"].values[counted]
    is_set = task.outcome.kind in ("categorical", "multilabel")
    values = (values > 0).astype(np.int64) if is_set else values[:, 0]
    sequences = dataset.proteins.sequences
    baseline = fit_composition(sequences, train.members[counted], values, kind=task.outcome.kind)
    return {
        part: baseline.predict(sequences, examples.members)
        for part, examples in dataset.parts.items()
        if part != "train"
    }


def _residue_letter(
    dataset: Dataset, targets: dict[str, Targets], labels: Labels
) -> dict[str, FloatArray]:
    def seen(part: str) -> list[str]:
        return _seen_sequences(dataset.parts[part], targets[part], dataset.proteins.sequences)

    train = targets["train"]
    classes = np.where(train.counted, train.values.argmax(axis=1), -1)
    per_example = np.split(classes.astype(np.int64), train.offsets[1:-1])
    baseline = fit_residue_letters(seen("train"), per_example, len(labels.class_names))
    return {
        part: np.concatenate(baseline.predict(seen(part)))
        for part in dataset.parts
        if part != "train"
    }


def _seen_sequences(examples: Examples, targets: Targets, sequences: tuple[str, ...]) -> list[str]:
    residues: IntArray = np.diff(targets.offsets)
    members = examples.members[:, 0]
    return [sequences[p][:n] for p, n in zip(members, residues, strict=True)]
