"""A training before it begins, of any task and method."""

from collections.abc import Callable
from pathlib import Path

import pytest

from peftide.hardware import choose_hardware
from peftide.planning.stand_in import StandIn, stand_in
from peftide.run_folder import RunFolder
from peftide.sequences.training_tables import read_training_tables
from peftide.tasks.detecting import find_task
from peftide.training.problem import read_problem
from peftide.training.setting import Setting, build_encoder
from tests.conftest import small_config

Begin = Callable[..., tuple[Setting, StandIn]]


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """Task, method, options → a setting before anything is encoded, and its backbone."""

    def begin(task: str, method: str, **changes: object) -> tuple[Setting, StandIn]:
        config = small_config(tmp_path, task, method, **changes)
        found = find_task(task)
        problem = read_problem(config, found, read_training_tables(config, found.level))
        stands = stand_in(config)
        encoder = build_encoder(
            *(config, problem, stands.backbone),
            hardware=choose_hardware(config),
            folder=RunFolder(tmp_path / "scratch"),
        )
        return Setting(config, problem, encoder, None), stands

    return begin
