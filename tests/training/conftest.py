"""A model, its data and its optimizer as `train` has them, before the first step."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from peftide.config import TrainConfig
from peftide.hardware import choose_hardware
from peftide.model import ProteinModel
from peftide.parameters import trained_parameters
from peftide.run_folder import RunFolder
from peftide.tasks.detecting import find_task
from peftide.training.fitting import row_source
from peftide.training.parts import Fitting, LabelledPart
from peftide.training.setting import Setting, build_setting, find_adapter, prepare
from tests.conftest import small_config

Build = Callable[..., tuple[Setting, ProteinModel, TrainConfig]]
Fit = Callable[..., Fitting]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Task, method and options → setting, model and config."""

    def run(task: str, method: str, **changes: Any) -> tuple[Setting, ProteinModel, TrainConfig]:
        config = small_config(tmp_path, task, method, **changes)
        problem, backbone = prepare(config, find_task(task))
        folder = RunFolder(tmp_path / "run")
        hardware = choose_hardware(config)
        setting = build_setting(config, problem, backbone, hardware=hardware, folder=folder)
        return setting, setting.model, config

    return run


@pytest.fixture
def fitting(tmp_path: Path) -> Fit:
    """Setting, and what to change → all that a training needs."""

    def run(setting: Setting, **changes: Any) -> Fitting:
        config, problem = setting.config, setting.problem
        adapter = find_adapter(config.method)
        parts: dict[str, Any] = {
            "config": config,
            "task": problem.task,
            "labels": problem.labels,
            "part": LabelledPart(problem.dataset.parts["train"].members, problem.targets["train"]),
            "source": row_source(setting),
            "hardware": setting.hardware,
            "learning_rate": adapter.learning_rate,
            "validate": lambda: {problem.task.outcome.headline: 0.5},
            "on_epoch": lambda _history: None,
            "checkpoints": tmp_path / "checkpoints",
            "steer": adapter.steer and partial(adapter.steer, setting.model.backbone),
        }
        return Fitting(**(parts | changes))

    return run


def gradients(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return the gradients of all trained parameters, and forget them in the model."""
    found = {}
    for name, parameter in trained_parameters(model).items():
        assert parameter.grad is not None, name
        found[name] = parameter.grad.clone()
        parameter.grad = None
    return found


def assert_equal(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-6, rtol=1e-4, msg=name)
