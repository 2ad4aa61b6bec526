from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef

from peftide.evaluation.decisions import choose_threshold
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
