"""Forecasts against sums by hand, of a measurement of round numbers."""

from dataclasses import replace

import numpy as np
import pytest

from peftide.config import RunOptions
from peftide.hardware import choose_hardware
from peftide.planning.cost import Cost, Load, Seconds
from peftide.planning.forecast import forecast_disk, forecast_memory, forecast_seconds
from peftide.planning.measuring import Costs, Measurement, Sizes
from peftide.planning.work import EpochWork, OnceWork, Storage


def per_token(seconds: float) -> Cost:
    return Cost(np.array([0, seconds, 0, 0]), wall_per_cpu=2.0)


def tokens(count: float) -> Load:
    return Load(tokens=count)


LORA = Measurement(
    hardware=choose_hardware(RunOptions(device="cpu", precision="fp32")),
    parameters={"trained": 1_000, "total": 10_000},
    weight_bytes=40_000.0,
    storage=Storage("hidden states", 5_000_000, 6_000_000.0),
    epoch=EpochWork(10, 600, tokens(100), tokens(50), [], []),
    once=OnceWork(tokens(1000), tokens(20), tokens(30), tokens(70), tokens(40), 300.0, []),
    costs=Costs(
        below=per_token(1.0),
        forward=per_token(0.1),
        graph=per_token(0.3),
        step=Cost(np.array([0.5, 0.01]), wall_per_cpu=2.0),
        validation=Seconds(2, 4),
        resume_point=Seconds(1, 2),
        scoring=Seconds(7, 14),
        saving=Seconds(3, 6),
    ),
    sizes=Sizes(
        held=1_000.0,
        trained=10.0,
        graph=500.0,
        forward=100.0,
        resume_point=50.0,
        scoring=200.0,
        saving=60.0,
    ),
    width=32,
    piece_tokens=16_384,
    graph_layers=2,
)
EPOCH = (100 * 0.3 + 50 * 0.1 + 10 * 0.5 + 600 * 0.01) + (30 * 0.1 + 2) + 1


def seconds(measured: Measurement) -> dict[str, float]:
    found = forecast_seconds(measured, epochs=3, reading=Seconds(5, 10))
    assert {name: value.wall for name, value in found.items()} == pytest.approx(
        {name: 2 * value.cpu for name, value in found.items()}
    )
    return {name: value.cpu for name, value in found.items()}


def test_frozen_layers_run_once_where_their_states_are_kept() -> None:
    found = seconds(LORA)
    assert found["frozen layers, once"] == pytest.approx(1000)
    assert found["per_epoch"] == pytest.approx(EPOCH)
    # the tests are in no storage: their 40 tokens go through all layers
    assert found["scoring"] == pytest.approx(70 * 0.1 + 40 * 1.0 + 7)
    assert found["total"] == pytest.approx(5 + 1000 + 20 * 0.1 + 3 * EPOCH + found["scoring"] + 3)


def test_they_run_in_every_pass_where_they_are_not() -> None:
    found = seconds(replace(LORA, storage=Storage("hidden states", 5_000_000, 4_000_000.0)))
    assert found["frozen layers, once"] == 0
    assert found["per_epoch"] == pytest.approx(EPOCH + (100 + 50 + 30) * 1.0)
    assert found["scoring"] == pytest.approx(70 * 1.1 + 7)


def test_of_a_frozen_backbone_everything_is_encoded_once() -> None:
    nothing = tokens(0)
    once = OnceWork(tokens(1000), nothing, nothing, nothing, nothing, 300.0, [])
    epoch = EpochWork(10, 600, nothing, nothing, [], [])
    frozen = replace(LORA, storage=Storage("embeddings", 1, 2.0), once=once, epoch=epoch)
    found = seconds(frozen)
    assert found["frozen layers, once"] == pytest.approx(100)
    assert found["training"] == pytest.approx(3 * (5 + 6))


def test_the_peak_is_the_largest_stage() -> None:
    found = forecast_memory(LORA)
    assert found["training"] == 1_000 + 3 * 10 + 500
    # test was encoded before it is scored: a forward pass, and the vectors
    assert found["scoring"] == 1_000 + 100 + 300 + 200 == found["peak"]
    assert found["validation"] == 1_000 + 3 * 10 + 100 + 300
    more = replace(LORA, sizes=replace(LORA.sizes, scoring=9_000.0))
    assert forecast_memory(more)["peak"] == 10_000 + 400


def test_the_cache_stays_where_it_is_shared() -> None:
    alone, shared = (forecast_disk(LORA, shared_cache=kept) for kept in (False, True))
    # 1,000 numbers of 4 bytes; a point holds them, their best values and two moments
    assert alone["resume points"] == 2 * 4 * 4_000
    assert (alone["kept"], shared["kept"]) == (4_000, 4_000 + 5_000_000)
    assert alone["peak"] == shared["peak"] == 5_000_000 + 4_000 + 32_000
