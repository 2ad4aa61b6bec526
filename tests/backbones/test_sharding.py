"""Layers in pieces: in a group of one process, whose piece is the whole."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import distributed
from torch.distributed.tensor import DTensor

from peftide.backbones import TransformerBackbone
from peftide.backbones.loading import load_backbone
from peftide.backbones.sharding import shard_layers
from peftide.config import TrainConfig
from peftide.distributed import Processes
from peftide.errors import InputError
from peftide.hardware import Hardware
from peftide.training.setting import adapted_backbone
from tests.conftest import TINY

SEQUENCES = ["MKVLAAG", "MKTT"]


@pytest.fixture
def group() -> Iterator[None]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
    distributed.init_process_group("gloo", init_method=address, rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def hardware(processes: Processes) -> Hardware:
    return Hardware(torch.device("cpu"), "fp32", max_tokens=100, processes=processes)


def adapted() -> TransformerBackbone:
    config = TrainConfig(task="ppi", method="lora", out=Path("run"), backbone=TINY)
    backbone = adapted_backbone(config, torch.float32)
    torch.manual_seed(0)
    for name, parameter in backbone.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)
    assert isinstance(backbone, TransformerBackbone)
    return backbone.eval()


@pytest.mark.usefixtures("group")
def test_outputs_and_gradients_stay_and_only_frozen_layers_are_in_pieces() -> None:
    whole, pieces = adapted(), adapted()
    processes = Processes(0, 1)
    shard_layers(pieces, hardware(processes))
    for name, parameter in pieces.model.named_parameters():
        inside = f"{pieces.layer_prefix}." in name
        assert isinstance(parameter, DTensor) == (inside and not parameter.requires_grad), name
    batch = whole.pack(SEQUENCES, max_length=None)
    with processes.side_by_side():
        found = pieces(batch)
    torch.testing.assert_close(found, whole(batch))
    found.square().sum().backward()
    whole(batch).square().sum().backward()
    gradients = {name: p.grad for name, p in whole.named_parameters() if p.requires_grad}
    for name, parameter in pieces.named_parameters():
        if parameter.requires_grad:
            torch.testing.assert_close(parameter.grad, gradients[name])


@pytest.mark.usefixtures("group")
def test_the_first_process_leads_when_it_encodes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inference mode leaves layers that a later step can use."""
    asked: list[Any] = []
    monkeypatch.setattr(Processes, "lead", lambda _self, request: asked.append(request))
    backbone, processes = adapted(), Processes(0, 1)
    shard_layers(backbone, hardware(processes))
    batch = backbone.pack(SEQUENCES, max_length=None)
    with torch.inference_mode():
        alone = backbone(batch)
    [(sent, layers)] = asked
    assert layers is None
    assert torch.equal(sent.input_ids, batch.input_ids)
    with processes.side_by_side():
        torch.testing.assert_close(backbone(batch), alone)
    assert len(asked) == 1
    assert processes.lockstep.active

    calls: list[int | None] = []
    other, last = adapted(), Processes(1, 2)
    encode = other.architecture.encode

    def noted(model: Any, batch: Any, layers: int | None) -> torch.Tensor:
        calls.append(layers)
        return encode(model, batch, layers)

    other.architecture = replace(other.architecture, encode=noted)
    monkeypatch.setattr("peftide.backbones.sharding.fully_shard", lambda *_args, **_named: None)
    monkeypatch.setattr("peftide.backbones.sharding.init_device_mesh", lambda *_args: None)
    shard_layers(other, hardware(last))
    assert last.lockstep.follow is not None
    last.lockstep.follow((sent, 1))
    assert calls == [1]


def test_a_backbone_without_layers_is_refused() -> None:
    backbone = load_backbone("random:unirep_64")
    with pytest.raises(InputError, match="--shard-backbone: .* no layers that processes can share"):
        shard_layers(backbone, hardware(Processes(0, 2)))
