from pathlib import Path

import numpy as np
import pytest

from peftide.baselines import fit_composition
from peftide.sequences import Dataset
from peftide.tasks import TASKS, Targets
from peftide.types import FloatArray
from peftide.workflows.beside import baseline_answers
from peftide.workflows.reading import read_labels, read_training_data
from tests.conftest import small_config

Answers = tuple[Dataset, dict[str, Targets], tuple[str, dict[str, FloatArray]]]


def answers_of(tmp_path: Path, task: str, **changes: object) -> Answers:
    config = small_config(tmp_path, task, "head", **changes)
    dataset = read_training_data(config, TASKS[task])
    labels, targets = read_labels(
        dataset, TASKS[task], max_length=config.max_length, class_map=None
    )
    return dataset, targets, baseline_answers(dataset, targets, TASKS[task], labels=labels)


@pytest.mark.parametrize("task", TASKS)
def test_every_part_but_train_gets_one_answer_per_row(tmp_path: Path, task: str) -> None:
    _, targets, (name, answers) = answers_of(tmp_path, task)
    assert name == ("residue_letter" if task == "residue" else "composition")
    assert answers.keys() == {"validation", "test"}
    for part, found in answers.items():
        assert len(found) == len(targets[part].values)
        if TASKS[task].outcome.kind == "categorical":
            assert found.shape == targets[part].values.shape
            np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


def test_the_baseline_is_fitted_on_training_rows_that_count(tmp_path: Path) -> None:
    dataset, targets, (_, answers) = answers_of(tmp_path, "ppi")
    train = dataset.parts["train"]
    alone = fit_composition(
        dataset.proteins.sequences, train.members, targets["train"].values[:, 0], kind="binary"
    )
    expected = alone.predict(dataset.proteins.sequences, dataset.parts["test"].members)
    np.testing.assert_allclose(answers["test"], expected)


def test_cropped_residues_are_left_out_of_the_letters(tmp_path: Path) -> None:
    _, targets, (_, answers) = answers_of(tmp_path, "residue", max_length=5)
    assert len(answers["test"]) == len(targets["test"].values) == 8 * 5
    truth = targets["test"].values.argmax(axis=1)
    assert (answers["test"].argmax(axis=1) == truth).mean() > 0.9
