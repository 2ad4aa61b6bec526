from functools import cache
from pathlib import Path

import torch

from peftide.backbones import BACKBONES, TransformerBackbone
from peftide.backbones.loading import LoadOptions
from peftide.config import TrainConfig
from peftide.planning.advice import SAFETY, disk_advice, memory_advice
from peftide.planning.sizes import Sizes
from peftide.planning.stand_in import bare_backbone, shape_of
from peftide.training.setting import adapt

GB = 10**9


@cache
def backbone(method: str) -> TransformerBackbone:
    """Return the shape of a backbone of 60 GB, of which two layers train (by `full` all)."""
    name = "random:esm2_t48_15B"
    settings, _ = shape_of(name, LoadOptions())
    with torch.device("meta"):
        found = bare_backbone(settings, BACKBONES["esm"], name)
        adapt(found, config(method))
    return found


def config(method: str) -> TrainConfig:
    layers = "last_quarter" if method == "full" else "last:2"
    return TrainConfig(task="binary", method=method, out=Path("run"), lora_layers=layers)


def sized(held: float, graph: float, trained: float = 0.0, **others: float) -> Sizes:
    rest = {"rows": 0.0, "stored": 0.0, "room": 0.0, **others}
    return Sizes(held=held * GB, graph=graph * GB, trained=trained * GB, forward=0.1 * GB, **rest)


def advice(sizes: Sizes, free: float, method: str = "lora") -> list[str]:
    free *= GB / SAFETY
    return memory_advice(sizes, config(method), backbone(method), max_tokens=2048, free=free)


def test_a_smaller_budget_is_advised_where_activations_are_too_large() -> None:
    # a quarter of the activations: 2 + (16 + 0.1) / 4
    assert advice(sized(held=2, graph=16), free=7)[0] == "--max-tokens 512: 6.0 GB"


def test_changes_that_do_not_fit_are_not_advised() -> None:
    # one layer of two: 2 + 16 / 2 + 0.1
    assert not any(line.startswith("--lora-layers") for line in advice(sized(2, 16), free=10))
    assert "--lora-layers last:1: 10.1 GB" in advice(sized(2, 16), free=10.2)


def test_another_method_is_advised_where_the_optimizer_is_too_large() -> None:
    found = advice(sized(held=4, graph=5, trained=4), free=10, method="full")
    assert found == ["--method lora: 5.0 GB", "--method head: 4.1 GB"]


def test_a_smaller_backbone_is_advised_where_the_weights_do_not_fit() -> None:
    found = advice(sized(held=60, graph=1), free=8)
    assert found[0] == "a smaller backbone, such as esm2_t33_650M"
    assert advice(sized(60, 1), free=1e-3) == ["a machine or GPU with more memory"]


def test_hidden_states_without_room_are_reported_with_both_sizes() -> None:
    (line,) = disk_advice(sized(1, 1, stored=30 * GB, room=20 * GB))
    assert all(said in line for said in ("30.0 GB", "20.0 GB", "--trunk-gb"))
    assert disk_advice(sized(1, 1, stored=GB, room=20 * GB)) == []
    assert disk_advice(sized(1, 1)) == []
