from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import average_precision_score, matthews_corrcoef

from peftide.evaluation.calibration import Calibration
from peftide.evaluation.decisions import Decisions, choose_threshold, notes_on
from peftide.hardware import choose_hardware
from peftide.run_folder import RunFolder
from peftide.tasks.detecting import find_task
from peftide.training.setting import Setting, build_setting, prepare
from tests.conftest import small_config


def untrained(folder: Path, task: str, **changes: object) -> Setting:
    config = small_config(folder, task, "head", **changes)
    problem, backbone = prepare(config, find_task(task))
    hardware = choose_hardware(config)
    return build_setting(
        config, problem, backbone, hardware=hardware, folder=RunFolder(folder / "run")
    )


def test_the_threshold_has_the_best_mcc_on_validation(tmp_path: Path) -> None:
    setting = untrained(tmp_path, "ppi")
    logits = setting.logits("validation")
    answers = setting.problem.task.outcome.answers(logits, setting.problem.labels)
    threshold = choose_threshold(setting.problem.part("validation"), answers)
    assert threshold is not None
    truth = setting.problem.targets["validation"].values[:, 0]
    probability = 1 / (1 + np.exp(-logits[:, 0].astype(float)))
    ours = matthews_corrcoef(truth, probability >= threshold)
    others = [matthews_corrcoef(truth, probability >= cut) for cut in probability]
    assert ours == pytest.approx(max(others))


@pytest.mark.parametrize("task", ["symmetry", "regression", "residue"])
def test_only_a_yes_or_no_has_a_threshold(tmp_path: Path, task: str) -> None:
    setting = untrained(tmp_path, task)
    assert (
        choose_threshold(setting.problem.part("validation"), setting.logits("validation")) is None
    )


def test_a_threshold_from_few_labels_is_noted(tmp_path: Path) -> None:
    setting = untrained(tmp_path, "ppi")
    part, logits = setting.problem.part("validation"), setting.logits("validation")
    (note,) = notes_on(part, logits, Decisions(threshold=0.25))
    assert note.startswith("threshold 0.250 was chosen on 4 positive and 4 negative labels")


def test_a_score_that_calibration_changes_is_noted(tmp_path: Path) -> None:
    part = untrained(tmp_path, "symmetry").problem.part("validation")
    truth = part.targets.values
    logits = np.random.default_rng(0).normal(size=truth.shape) * 4

    def macro(scores: np.ndarray) -> float:
        both = [k for k in range(truth.shape[1]) if 0 < (truth[:, k] > 0).sum() < len(truth)]
        found = [average_precision_score(truth[:, k] > 0, scores[:, k]) for k in both]
        return float(np.mean(found))

    before, after = macro(softmax(logits, axis=1)), macro(softmax(logits / 20, axis=1))
    assert abs(before - after) > 0.001
    (note,) = notes_on(part, logits, Decisions(Calibration("temperature", temperature=20.0)))
    assert f"was {before:.3f} during training and is {after:.3f} here" in note
    assert not list(notes_on(part, logits, Decisions()))
