"""The choice from given measurements; and that measuring leaves a training as it was."""

import logging

import numpy as np
import pytest
import torch
from torch import nn

from peftide.hardware import GRAPH_BATCHES
from peftide.packing import PackedBatch
from peftide.planning import token_budget
from peftide.planning.cost import Seconds
from peftide.planning.token_budget import (
    STATE_BYTES,
    BudgetMeter,
    choose_token_budget,
    kept_for_backward,
)
from tests.conftest import random_sequences
from tests.planning.conftest import Begin, Begun

SEQUENCES = random_sequences(80, seed=3)
USUAL = 64


@pytest.fixture
def lora(begin: Begin) -> Begun:
    return begin("regression", "lora", max_tokens=USUAL)


def choose(begun: Begun, *, epochs: int = 3) -> int:
    cut = 1 if epochs else 0
    return choose_token_budget(begun.setting.encoder, SEQUENCES, epochs=epochs, cut=cut)


def measure(monkeypatch: pytest.MonkeyPatch, microseconds: dict[int, float]) -> None:
    """Let every run be worth a measurement, and a token under each budget cost so much."""
    make, made = BudgetMeter.batch, {}

    def batch(meter: BudgetMeter, budget: int, place: float) -> PackedBatch:
        found = make(meter, budget, place)
        made[id(found)] = budget
        return found

    def seconds(_meter: BudgetMeter, batch: PackedBatch) -> Seconds:
        each = microseconds.get(made[id(batch)], 10)
        return Seconds(cpu=sum(batch.lengths) * each * 1e-6, wall=1.0)

    monkeypatch.setattr(token_budget, "LEAST_WORK", 0)
    monkeypatch.setattr(token_budget, "SECONDS", 1e9)
    monkeypatch.setattr(BudgetMeter, "batch", batch)
    monkeypatch.setattr(BudgetMeter, "seconds", seconds)


@pytest.mark.parametrize("epochs", [0, 3])
@pytest.mark.parametrize(
    ("microseconds", "expected"),
    [
        ({32: 10, 64: 10, 128: 10, 256: 10}, 64),
        ({32: 13, 64: 10, 128: 9.0, 256: 8.5}, 64),  # 18 percent
        ({32: 20, 64: 10, 128: 6.0, 256: 5.9}, 128),  # about as fast as the largest
        ({32: 20, 64: 10, 128: 7.0, 256: 5.0}, 256),
        ({32: 5, 64: 10, 128: 11.0, 256: 15.0}, 32),
    ],
)
def test_another_budget_must_be_a_fifth_faster(
    lora: Begun,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    microseconds: dict[int, float],
    expected: int,
    epochs: int,
) -> None:
    measure(monkeypatch, microseconds)
    with caplog.at_level(logging.INFO, "peftide"):
        assert choose(lora, epochs=epochs) == expected
    (said,) = caplog.messages
    assert said.startswith(f"token budget: {expected} (tokens per second measured: ")
    assert all(f" with {budget}" in said for budget in (32, 64, 128, 256))


def test_a_small_run_is_not_measured(lora: Begun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BudgetMeter, "__init__", lambda *_, **__: pytest.fail("measured"))
    assert choose(lora) == USUAL


def test_a_run_too_slow_to_measure_takes_the_usual_budget(
    lora: Begun, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(monkeypatch, {32: 1, 64: 10})
    monkeypatch.setattr(token_budget, "SECONDS", 1e-9)
    assert choose(lora) == USUAL


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_budget_that_memory_does_not_hold_is_halved(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    begun = begin("regression", method, max_tokens=2048)
    encoder = begun.setting.encoder
    trained = sum(p.numel() for p in begun.setting.model.parameters() if p.requires_grad)
    monkeypatch.setattr(token_budget, "LEAST_WORK", 0)
    per_token = BudgetMeter(encoder, SEQUENCES, graph=True, cut=0).bytes_per_token(1)
    for tokens, expected in [(1100, 1024), (1000, 512), (1, 256)]:
        free = round(STATE_BYTES * trained + 2 * tokens * per_token)  # half of it is for the graph
        monkeypatch.setattr(token_budget, "machine_memory", lambda _device, f=free: (f, f))
        with caplog.at_level(logging.INFO, "peftide"):
            assert choose_token_budget(encoder, SEQUENCES, epochs=2, cut=0) == expected
        assert caplog.messages[-1].startswith(f"token budget: {expected:,}, for the usual")


def test_a_training_is_as_it_was(lora: Begun, monkeypatch: pytest.MonkeyPatch) -> None:
    model = lora.setting.model
    monkeypatch.setattr(token_budget, "LEAST_WORK", 0)
    monkeypatch.setattr(token_budget, "SECONDS", 1.0)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    random_numbers = torch.get_rng_state()
    assert choose(lora) in (32, 64, 128, 256)
    assert torch.equal(torch.get_rng_state(), random_numbers)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not model.training


def test_measured_batches_enter_above_the_cut(lora: Begun) -> None:
    meter = BudgetMeter(lora.setting.encoder, SEQUENCES, graph=True, cut=1)
    batch = meter.batch(USUAL, 0.5)
    assert batch.layers_done == 1
    assert USUAL / 2 < sum(batch.lengths) <= USUAL
    lower, upper = (meter.batch(USUAL, place) for place in (0.25, 0.75))
    assert np.mean(lower.lengths) < np.mean(batch.lengths) < np.mean(upper.lengths)


def test_what_a_graph_keeps_is_counted_once_and_without_weights() -> None:
    layer, rows = nn.Linear(3, 5), torch.ones(7, 3)

    def run() -> None:
        hidden = layer(rows)
        (hidden * hidden).sum().backward()

    # by hand: the input for the weight's gradient, and one product's two equal factors
    assert kept_for_backward(run) == 4 * (7 * 3 + 7 * 5)


def test_more_memory_is_counted_the_more_layers_train(begin: Begin) -> None:
    lora, full = (
        BudgetMeter(begin("regression", m).setting.encoder, SEQUENCES, graph=True, cut=0)
        for m in ("lora", "full")
    )
    assert full.bytes_per_token(1) > lora.bytes_per_token(1)
    assert full.bytes_per_token(3) == 3 * full.bytes_per_token(1)
    frozen = BudgetMeter(full.encoder, SEQUENCES, graph=False, cut=0)
    assert frozen.bytes_per_token(1) < full.bytes_per_token(1) / GRAPH_BATCHES


def test_a_plan_takes_the_budget_that_the_training_would(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peftide.training.setting.choose_token_budget", lambda *_, **__: 96)
    assert begin("regression", "lora").setting.hardware.max_tokens == 96
    assert begin("regression", "lora", max_tokens=32).setting.hardware.max_tokens == 32
