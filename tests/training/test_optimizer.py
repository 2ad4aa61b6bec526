import math

import pytest

from peftide.config import TrainConfig
from peftide.parameters import trained_parameters
from peftide.training.optimizer import build_optimizer, rate_factor
from tests.training.conftest import Build


def test_every_trained_parameter_is_in_the_right_group(build: Build) -> None:
    """Adapter matrices, head matrices and head biases; attention pooling has one axis."""
    _, model, _ = build("ppi", "lora", pooling="attention")
    config = TrainConfig.__new__(TrainConfig)
    for name, value in {
        "head_learning_rate": 0.2,
        "weight_decay": 0.03,
        "head_weight_decay": 0.04,
    }.items():
        object.__setattr__(config, name, value)
    optimizer = build_optimizer(model, config, learning_rate=0.1)
    found = {
        id(parameter): (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    trained = trained_parameters(model)
    assert found.keys() == {id(parameter) for parameter in trained.values()}
    for name, parameter in trained.items():
        expected = (0.1, 0.03) if "lora_" in name else (0.2, 0.04)
        if name.endswith("bias") or name == "pooling.query":
            expected = (0.2, 0.0)
        assert found[id(parameter)] == expected, name
    assert "pooling.query" in trained


def test_vectors_of_the_backbone_do_not_decay_whatever_their_axes(build: Build) -> None:
    """(IA)³ keeps its factors, which start at 1, as columns and rows."""
    _, model, config = build("ppi", "ia3")
    optimizer = build_optimizer(model, config, learning_rate=0.1)
    decayed = {id(p) for g in optimizer.param_groups if g["weight_decay"] for p in g["params"]}
    factors = {name: p for name, p in trained_parameters(model).items() if "ia3_l" in name}
    assert {p.ndim for p in factors.values()} == {2}
    assert not [name for name, p in factors.items() if id(p) in decayed]


def test_norms_and_biases_of_the_backbone_do_not_decay(build: Build) -> None:
    setting, model, config = build("ppi", "full")
    del setting
    optimizer = build_optimizer(model, config, learning_rate=0.1)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    kept = {
        names[id(parameter)]
        for group in optimizer.param_groups
        if group["weight_decay"] == 0
        for parameter in group["params"]
    }
    assert kept == {name for name, p in trained_parameters(model).items() if p.ndim == 1}
    assert any("LayerNorm.weight" in name for name in kept)


def rates_of(steps: int, warmup_fraction: float) -> list[float]:
    return [
        rate_factor(step, steps=steps, warmup_fraction=warmup_fraction) for step in range(steps)
    ]


def test_the_rate_warms_up_and_falls_as_a_cosine() -> None:
    """10 steps, 2 of them warm-up; then (1 + cos(π k/8)) / 2."""
    expected = [0.5, 1.0] + [(1 + math.cos(math.pi * k / 8)) / 2 for k in range(8)]
    assert rates_of(10, 0.2) == pytest.approx(expected)


def test_without_warm_up_the_first_step_has_the_peak_rate() -> None:
    half_way = (1 + math.cos(math.pi / 4)) / 2
    assert rates_of(4, 0.0) == pytest.approx([1.0, half_way, 0.5, 1 - half_way])


def test_a_single_step_has_a_rate() -> None:
    assert rates_of(1, 0.05) == [1.0]
