import json
from pathlib import Path

import numpy as np
import pytest

from peftide.evaluation.beside import Beside
from peftide.evaluation.calibration import Calibration
from peftide.evaluation.scores import Scored
from peftide.evaluation.tables import write_history
from peftide.planning import scoring
from peftide.planning.cost import Seconds
from peftide.planning.measuring import EXAMPLE_HISTORY
from peftide.planning.usage import Used
from peftide.run_folder import RunFolder
from peftide.tasks import TASKS
from peftide.training.setting import Problem
from tests.planning.conftest import Begin


@pytest.mark.parametrize("task", TASKS)
def test_a_share_of_a_problem_is_a_problem(begin: Begin, task: str) -> None:
    problem = begin(task, "head").setting.problem
    some = scoring.some_of(problem, 0.5)
    assert {part: len(examples) for part, examples in some.dataset.parts.items()} == {
        "train": 12,
        "validation": 8,
        "test": 8,
    }
    for part, examples in some.dataset.parts.items():
        lengths = [len(some.dataset.proteins.sequences[p]) for p in examples.members[:, 0]]
        rows = lengths if task == "residue" else [1] * len(examples)
        assert np.diff(some.targets[part].offsets).tolist() == rows
        assert len(some.targets[part].values) == len(some.targets[part].counted) == sum(rows)


def test_scores_and_a_report_are_made(begin: Begin, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "scratch")
    folder.path.mkdir()
    write_history(EXAMPLE_HISTORY, folder.history)
    setting = begin("ppi", "head").setting
    found = scoring.scoring_cost(setting, folder)
    assert found.seconds.cpu > 0
    assert set(json.loads(folder.metrics.read_text())["splits"]) == {"validation", "test"}
    assert folder.strata.is_file()


def test_more_rows_cost_what_the_line_through_two_sizes_says(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "SIZES", (4, 8))
    monkeypatch.setattr(scoring, "FEWEST_EXAMPLES", 1)
    nothing = Scored({}, 0.5, Calibration(), None, Beside())

    def used(problem: Problem, _setting: object, _folder: object) -> Used[Scored]:
        rows = scoring.scored_rows(problem)
        return Used(nothing, Seconds(1 + rows, 2 + 2 * rows), int(100 * rows))

    monkeypatch.setattr(scoring, "_score", used)
    found = scoring.scoring_cost(begin("regression", "head").setting, RunFolder(Path("unused")))
    assert (found.seconds, found.grown_bytes) == (Seconds(17, 34), 1600)  # 8 rows each
