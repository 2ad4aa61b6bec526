"""The choice from given speeds; a measurement leaves a training unchanged; equal runs are equal."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from peftide.commands.train import train
from peftide.config import as_mapping, read_yaml
from peftide.errors import InputError
from peftide.hardware import CPU_MAX_TOKENS
from peftide.training import token_budget
from peftide.training.setting import Setting
from peftide.training.token_budget import STATE_BYTES, BudgetTrial, measured_token_budget
from tests.conftest import random_sequences, small_config
from tests.training.conftest import Build

SEQUENCES = random_sequences(80, seed=3)
USUAL = 64


@pytest.fixture
def lora(build: Build) -> Setting:
    return build("regression", "lora", max_tokens=USUAL)[0]


def choose(setting: Setting, *, graph: bool = True) -> int:
    cut = 1 if graph else 0
    return measured_token_budget(setting.encoder, SEQUENCES, graph=graph, cut=cut)


def measure(monkeypatch: pytest.MonkeyPatch, microseconds: dict[int, float]) -> None:
    """Let a token cost so much under each budget."""

    def speed(_trial: BudgetTrial, budget: int, _places: object) -> float:
        return 1e6 / microseconds[budget]

    monkeypatch.setattr(token_budget, "SECONDS", 1e9)
    monkeypatch.setattr(token_budget, "_speed", speed)


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize(
    ("microseconds", "expected"),
    [
        ({32: 10, 64: 10, 128: 10, 256: 10}, 64),
        ({32: 13, 64: 10, 128: 9.0, 256: 8.5}, 64),  # 18 percent
        ({32: 20, 64: 10, 128: 6.0, 256: 5.9}, 128),  # about as fast as the largest
        ({32: 5, 64: 10, 128: 11, 256: 12}, 32),
    ],
)
def test_another_budget_must_be_a_fifth_faster(
    lora: Setting,
    monkeypatch: pytest.MonkeyPatch,
    microseconds: dict[int, float],
    expected: int,
    *,
    graph: bool,
) -> None:
    measure(monkeypatch, microseconds)
    assert choose(lora, graph=graph) == expected


def test_the_choice_is_logged_with_all_speeds(
    lora: Setting, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    measure(monkeypatch, {32: 10, 64: 10, 128: 10, 256: 10})
    with caplog.at_level(logging.INFO, "peftide"):
        choose(lora)
    assert "64" in caplog.messages[-1]
    assert all(f"with {budget}" in caplog.messages[-1] for budget in (32, 64, 128, 256))


def test_the_usual_budget_stays_where_time_is_too_short(
    lora: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(monkeypatch, {32: 1, 64: 10, 128: 1, 256: 1})
    monkeypatch.setattr(token_budget, "SECONDS", 1e-9)
    assert choose(lora) == USUAL


@pytest.mark.parametrize(("tokens", "expected"), [(1100, 1024), (1000, 512), (1, 256)])
def test_a_budget_that_memory_does_not_hold_is_halved(
    build: Build, monkeypatch: pytest.MonkeyPatch, tokens: int, expected: int
) -> None:
    setting = build("regression", "full", max_tokens=2048)[0]
    trained = sum(p.numel() for p in setting.model.parameters() if p.requires_grad)
    monkeypatch.setattr(BudgetTrial, "bytes_per_token", lambda _trial: 1000.0)
    free = STATE_BYTES * trained + 2 * tokens * 1000  # half of the rest is for activations
    monkeypatch.setattr(token_budget, "machine_memory", lambda _device: (free, free))
    assert measured_token_budget(setting.encoder, SEQUENCES, graph=True, cut=0) == expected


def test_measuring_leaves_model_and_random_numbers_as_they_were(lora: Setting) -> None:
    weights = {name: value.clone() for name, value in lora.model.state_dict().items()}
    random_numbers = torch.get_rng_state()
    assert choose(lora) in (32, 64, 128, 256)
    assert torch.equal(torch.get_rng_state(), random_numbers)
    assert all(torch.equal(value, weights[k]) for k, value in lora.model.state_dict().items())
    assert all(parameter.grad is None for parameter in lora.model.parameters())
    assert not lora.model.training


def test_batches_enter_above_the_frozen_layers(lora: Setting) -> None:
    trial = BudgetTrial(lora.encoder, SEQUENCES, graph=True, cut=1)
    batch = trial.batch(USUAL, 0.5)
    assert batch.layers_done == 1
    assert USUAL / 2 < sum(batch.lengths) <= USUAL
    assert max(trial.batch(USUAL, 0.1).lengths) < min(trial.batch(USUAL, 0.9).lengths)


def test_equal_trainings_have_equal_budgets_and_scores(tmp_path: Path) -> None:
    """The default used to measure: equal calls chose other budgets, and results differed."""
    runs = []
    for name in ("a", "b"):
        config = replace(small_config(tmp_path, "ppi", "lora"), out=tmp_path / name)
        assert config.max_tokens == "auto"
        runs.append(train(config))
    first, second = (run.path / "metrics.json" for run in runs)
    assert first.read_bytes() == second.read_bytes()
    for run in runs:
        assert run.record["hardware"]["max_tokens"] == CPU_MAX_TOKENS
        assert read_yaml(run.path / "config.yaml")["max_tokens"] == str(CPU_MAX_TOKENS)


def test_a_measured_budget_is_written_down_and_kept_by_a_resumed_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peftide.training.setting.measured_token_budget", lambda *_, **__: 96)
    config = small_config(tmp_path, "regression", "lora", max_tokens="measured")
    with monkeypatch.context() as stopped:
        stopped.setattr("peftide.training.running.run_fit", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(config)
    assert read_yaml(config.out / "config.yaml")["max_tokens"] == "96"
    monkeypatch.setattr("peftide.training.setting.measured_token_budget", lambda *_, **__: 48)
    with pytest.raises(InputError, match="--max-tokens was 'measured' and is 32"):
        train(replace(config, resume=True, max_tokens=32))
    resumed = train(replace(config, resume=True))
    assert resumed.record["hardware"]["max_tokens"] == 96
    assert as_mapping(config)["max_tokens"] == "measured"
