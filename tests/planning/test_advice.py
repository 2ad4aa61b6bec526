from dataclasses import replace
from pathlib import Path

from peftide.config import TrainConfig
from peftide.planning.advice import SAFETY, disk_advice, memory_advice
from peftide.planning.measuring import Measurement
from peftide.planning.work import Storage
from tests.planning.test_forecast import LORA

GB = 1e9


def config(method: str = "lora") -> TrainConfig:
    return TrainConfig(task="binary", method=method, out=Path("run"))


def sized(held: float, graph: float, trained: float = 0.0) -> Measurement:
    sizes = replace(LORA.sizes, held=held * GB, graph=graph * GB, trained=trained * GB)
    return replace(LORA, sizes=replace(sizes, forward=0.1 * GB))


def advice(measured: Measurement, free: float, method: str = "lora") -> list[str]:
    return memory_advice(measured, config(method), max_tokens=2048, free=free * GB / SAFETY)


def test_a_smaller_budget_is_advised_where_activations_are_too_large() -> None:
    found = advice(sized(held=2, graph=16), free=7)
    # a quarter of the activations: 2 + (16 + 0.1) / 4
    assert found[0] == "--max-tokens 512: 6.0 GB"


def test_what_would_not_fit_is_not_advised() -> None:
    # checkpoints of two layers halve 16 GB; one of them would be 2 + 8 + 0.1
    assert not any(line.startswith("--lora-layers") for line in advice(sized(2, 16), free=10))
    assert "--lora-layers last:1: 10.1 GB" in advice(sized(2, 16), free=10.2)


def test_another_method_is_advised_where_the_optimizer_is_too_large() -> None:
    found = advice(sized(held=4, graph=5, trained=4), free=10, method="full")
    assert found == ["--method lora: 5.0 GB", "--method head: 4.1 GB"]


def test_where_not_even_the_weights_fit_a_smaller_model_is_named() -> None:
    huge = replace(sized(held=60, graph=1), weight_bytes=60 * GB)
    found = advice(huge, free=8)
    assert found[0] == "a smaller backbone, such as esm2_t33_650M"


def test_hidden_states_without_room_are_said() -> None:
    (line,) = disk_advice(replace(LORA, storage=Storage("hidden states", 30 * 10**9, 20 * GB)))
    assert "30.0 GB" in line
    assert "--trunk-gb" in line
    assert disk_advice(LORA) == []
