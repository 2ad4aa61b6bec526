"""A training before it begins, of any task and method."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from peftide.commands.train import build_fitting
from peftide.config import TrainConfig
from peftide.hardware import choose_hardware
from peftide.planning.measuring import Measurement, blank_setting, measure_training
from peftide.planning.stand_in import StandIn, stand_in
from peftide.run_folder import RunFolder
from peftide.training import Fitting
from peftide.training.setting import Setting, find_adapter, find_task, read_problem
from tests.conftest import small_config


@dataclass(frozen=True)
class Begun:
    """What a plan has before it measures."""

    config: TrainConfig
    stands: StandIn
    setting: Setting
    fitting: Fitting

    def measure(self, folder: Path) -> Measurement:
        return measure_training(
            self.config,
            self.setting.problem,
            self.stands,
            hardware=self.setting.hardware,
            folder=RunFolder(folder),
        )


Begin = Callable[..., Begun]


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """Task, method, options → a training before it begins."""

    def begin(task: str, method: str, **changes: object) -> Begun:
        config = small_config(tmp_path, task, method, **changes)
        problem, stands = read_problem(config, find_task(task)), stand_in(config)
        setting = blank_setting(config, problem, stands, hardware=choose_hardware(config))
        fitting = build_fitting(setting, find_adapter(method), RunFolder(tmp_path / "scratch"))
        return Begun(config, stands, setting, fitting)

    return begin
