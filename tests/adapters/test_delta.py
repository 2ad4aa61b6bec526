"""Some of the backbone's own weights train; those alone are saved."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from peftide.adapters.adapter import Adapter
from peftide.adapters.delta import BIAS, DELTA_FILE, LAST_K, LAYER_NORM
from peftide.backbones import Backbone
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions
from peftide.errors import InputError
from tests.conftest import TINY


def adapted(adapter: Adapter, layers: str) -> Backbone:
    backbone = load_backbone(TINY)
    adapter.apply(backbone, MethodOptions(lora_layers=layers))
    return backbone


def trained(backbone: Backbone) -> dict[str, nn.Parameter]:
    return {name: p for name, p in backbone.model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize(
    ("adapter", "count"),
    [
        # width 32: query, key, value, output, two layer norms, feed-forward in (128) and out
        (BIAS, 4 * 32 + 2 * 32 + 128 + 32),
        (LAYER_NORM, 2 * 2 * 32),
        (LAST_K, 4 * (32 * 32 + 32) + 2 * 2 * 32 + 2 * 32 * 128 + 128 + 32),
    ],
)
def test_as_many_numbers_train_as_counted_by_hand(adapter: Adapter, count: int):
    one = trained(adapted(adapter, "last:1"))
    assert sum(p.numel() for p in one.values()) == count
    assert all(name.startswith("encoder.layer.1.") for name in one)
    assert sum(p.numel() for p in trained(adapted(adapter, "all")).values()) == 2 * count


def test_layer_norms_are_found_by_what_they_are():
    names = set(trained(adapted(LAYER_NORM, "0")))
    norms = {
        name
        for name, module in load_backbone(TINY).model.named_modules()
        if isinstance(module, nn.LayerNorm) and name.startswith("encoder.layer.0.")
    }
    assert len(norms) == 2
    assert names == {f"{name}.{kind}" for name in norms for kind in ("weight", "bias")}


@pytest.mark.parametrize("adapter", [BIAS, LAYER_NORM, LAST_K])
def test_the_file_holds_the_changed_tensors_alone(adapter: Adapter, tmp_path: Path):
    backbone = adapted(adapter, "last:1")
    with torch.no_grad():
        for parameter in trained(backbone).values():
            parameter.normal_()
    adapter.save(backbone, tmp_path)
    saved = load_file(tmp_path / DELTA_FILE)
    assert saved.keys() == trained(backbone).keys()
    other = load_backbone(TINY)
    before = {name: tensor.clone() for name, tensor in other.model.state_dict().items()}
    adapter.load(other, tmp_path)
    for name, tensor in other.model.state_dict().items():
        assert torch.equal(tensor, saved[name] if name in saved else before[name]), name


def test_a_backbone_without_biases_is_refused():
    backbone = load_backbone(TINY)
    for module in backbone.model.modules():
        if isinstance(module, nn.Linear | nn.LayerNorm):
            module.register_parameter("bias", None)
    with pytest.raises(InputError, match="random:esm2_tiny have no biases. Choose another method"):
        BIAS.apply(backbone, MethodOptions())
