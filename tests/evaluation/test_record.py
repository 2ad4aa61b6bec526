from pathlib import Path

import numpy as np

from peftide.evaluation.answering import Answering
from peftide.evaluation.decisions import Decisions, choose_threshold
from peftide.evaluation.part_scores import Answers, Resampling
from peftide.evaluation.record import evaluate_parts
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


def test_the_baseline_gets_a_threshold_from_validation(tmp_path: Path) -> None:
    part = untrained(tmp_path, "ppi").problem.part("validation")
    truth = part.targets.values[:, 0]
    shifted = 0.1 + 0.01 * truth  # perfect, but never above 0.5
    cut = choose_threshold(part, shifted)
    metrics = evaluate_parts(
        {"validation": part},
        {"validation": np.zeros((len(truth), 1))},
        Answering(part.task, part.labels, Decisions()),
        others={"baselines": {"composition": {"validation": Answers(shifted, cut)}}},
        resampling=Resampling(),
    )
    scores = metrics["baselines"]["composition"]["validation"]
    assert scores["accuracy"]["value"] == scores["mcc"]["value"] == 1.0
