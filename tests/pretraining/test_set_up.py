"""Options in; a model of its seed and a plan for the loop out."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from peftide.config import PretrainConfig
from peftide.hardware import Hardware
from peftide.parameters import trained_parameters
from peftide.pretraining import set_up
from peftide.pretraining.set_up import build_model, can_compile, plan_pretraining
from peftide.pretraining.setting import backbone_source
from peftide.run_folder import RunFolder
from tests.pretraining.conftest import setting_of


def new_model(config: PretrainConfig) -> dict[str, torch.Tensor]:
    model = build_model(setting_of(config), backbone_source(config))
    return {name: p.detach() for name, p in trained_parameters(model).items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_new_weights_depend_on_the_seed_alone(pretrain_config: PretrainConfig) -> None:
    first = new_model(pretrain_config)
    torch.manual_seed(99)
    assert same(first, new_model(pretrain_config))
    assert not same(first, new_model(replace(pretrain_config, seed=1)))


def test_local_heads_change_attention_alone(pretrain_config: PretrainConfig) -> None:
    plain = new_model(pretrain_config)
    local = new_model(replace(pretrain_config, local_heads=True))
    changed = {name for name, value in plain.items() if not torch.equal(value, local[name])}
    assert changed
    assert all(".query." in name or ".key." in name for name in changed)


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_losses_follow_the_options(pretrain_config: PretrainConfig, weight: float) -> None:
    config = replace(pretrain_config, rows=4, relatives_weight=weight)
    model = build_model(setting_of(config), backbone_source(config))
    assert model.relatives == (weight > 0)
    assert model.profile_head is None


@pytest.mark.parametrize("hours", [None, 2.0])
def test_the_plan_has_the_options_of_the_run(
    pretrain_config: PretrainConfig, hardware: Hardware, tmp_path: Path, hours: float | None
) -> None:
    config = replace(pretrain_config, hours=hours, steps=7, compile=False)
    setting = setting_of(config)
    model = build_model(setting, backbone_source(config))
    folder, started = RunFolder(tmp_path / "out"), time.monotonic()
    plan = plan_pretraining(setting, model, hardware, folder=folder, started=started)
    assert plan.schedule.steps == 7
    assert plan.schedule.deadline == (None if hours is None else started + 7200)
    assert plan.checkpoints == folder.checkpoints
    assert plan.loss_weights == (1.0, config.relatives_weight, config.profiles_weight)
    assert not plan.compile_steps
    assert 1 < plan.evaluate()["perplexity"] < 100
    folder.path.mkdir(exist_ok=True)
    plan.on_history([{"step": 3, "perplexity": 19.5}])
    assert folder.history.read_text() == "step,perplexity\n3,19.5\n"


def test_without_a_compiler_steps_are_not_compiled_and_the_log_says_why(
    hardware: Hardware, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(set_up.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert can_compile(hardware)
    monkeypatch.setattr(set_up.shutil, "which", lambda _name: None)
    with caplog.at_level("INFO", logger="peftide"):
        assert not can_compile(hardware)
    assert "g++" in caplog.text
    on_gpu: Any = replace(hardware, device=torch.device("cuda"))
    assert can_compile(on_gpu)
