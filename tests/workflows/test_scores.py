from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import matthews_corrcoef

from peftide.hardware import choose_hardware
from peftide.run_folder import RunFolder
from peftide.workflows.scores import choose_threshold, part_scores, score
from peftide.workflows.setting import Setting, build_setting, find_task, prepare
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
    threshold = choose_threshold(setting.problem, answers)
    assert threshold is not None
    truth = setting.problem.targets["validation"].values[:, 0]
    probability = 1 / (1 + np.exp(-logits[:, 0].astype(float)))
    ours = matthews_corrcoef(truth, probability >= threshold)
    others = [matthews_corrcoef(truth, probability >= cut) for cut in probability]
    assert ours == pytest.approx(max(others))


@pytest.mark.parametrize("task", ["symmetry", "regression", "residue"])
def test_only_a_yes_or_no_has_a_threshold(tmp_path: Path, task: str) -> None:
    setting = untrained(tmp_path, task)
    assert choose_threshold(setting.problem, setting.logits("validation")) is None


def test_metrics_have_the_form_of_the_design(tmp_path: Path) -> None:
    setting = untrained(tmp_path, "ppi")
    metrics = score(setting, RunFolder(tmp_path / "run"))
    assert metrics["format_version"] == 1
    assert metrics["headline"] == "average_precision"
    entry = metrics["splits"]["test"]["average_precision"]
    assert entry.keys() == {"value", "low", "high", "n"}
    assert entry["n"] == 8
    table = pd.read_csv(tmp_path / "run" / "predictions.tsv", sep="\t")
    assert len(table) == 8


def test_the_baseline_gets_a_threshold_of_its_own(tmp_path: Path) -> None:
    problem = untrained(tmp_path, "ppi").problem
    truth = problem.targets["validation"].values[:, 0]
    shifted = {"validation": 0.1 + 0.01 * truth}  # perfect, but never above 0.5
    scores = part_scores(problem, shifted)["validation"]
    assert scores["accuracy"]["value"] == scores["mcc"]["value"] == 1.0
