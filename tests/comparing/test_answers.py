import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from peftide.comparing.answers import read_answers
from peftide.config import TrainConfig, from_mapping, read_yaml
from peftide.evaluation.rows import ScoredPart
from peftide.run_folder import RunFolder
from peftide.tasks import TASKS
from peftide.tasks.request import read_request
from peftide.training.problem import read_problem

Trained = Callable[[str, str], Path]


def parts(run: Path) -> dict[str, ScoredPart]:
    config, task, tables = read_request(from_mapping(TrainConfig, read_yaml(run / "config.yaml")))
    problem = read_problem(config, task, tables)
    return {name: problem.part(name) for name in problem.targets}


@pytest.mark.parametrize("task", TASKS)
def test_the_answers_of_a_run_give_its_scores(trained: Trained, task: str) -> None:
    folder = RunFolder(trained(task, "head"))
    metrics = json.loads(folder.metrics.read_text())
    found = parts(folder.path)
    for name in ("validation", "test"):
        part = found[name]
        answers = read_answers(folder, part)
        values = part.targets.values[part.targets.counted]
        scores = part.task.outcome.metrics(
            values, answers.values, part.labels, threshold=answers.threshold
        )
        headline = metrics["headline"]
        expected = metrics["splits"][name][headline]["value"]
        if expected is None:
            assert not np.isfinite(scores[headline])
        else:
            assert scores[headline] == pytest.approx(expected, abs=1e-3)  # six digits: ties
