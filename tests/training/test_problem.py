from pathlib import Path

import numpy as np
import pytest

from peftide.errors import InputError
from peftide.tasks.detecting import find_task
from peftide.training.problem import read_problem
from tests.conftest import small_config


def test_an_unknown_task_gets_a_suggestion() -> None:
    with pytest.raises(InputError, match="--task: received 'PPI'. Did you mean ppi?"):
        find_task("PPI")


def test_a_part_comes_with_its_labels(tmp_path: Path) -> None:
    problem = read_problem(small_config(tmp_path, "ppi", "head"), find_task("ppi"))
    part = problem.part("test")
    assert part.examples is problem.dataset.parts["test"]
    assert np.array_equal(part.targets.values, problem.targets["test"].values)
    assert len(part.rows().values) == part.targets.counted.sum()
