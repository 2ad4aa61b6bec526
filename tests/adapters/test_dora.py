"""DoRA by hand, and on a recurrent network beside plain `peft`."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from peft.tuners.lora.dora import DoraLinearLayer

from peftide.adapters.dora import DORA, dora_layers
from peftide.backbones import Backbone, LayeredBackbone
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions
from tests.conftest import random_sequences

SEQUENCES = random_sequences(4, lengths=(3, 12))
OPTIONS = MethodOptions(lora_r=4, lora_alpha=12, lora_dropout=0.0, lora_layers="all")


def test_dora_trains_lengths_apart_from_directions(esm2_folder: Path):
    """Each row of W + BA is brought to a length that trains (Eq. 5 of the paper)."""
    options = MethodOptions(lora_r=4, lora_alpha=12, lora_dropout=0.0, lora_layers="1")
    backbone = load_backbone(str(esm2_folder))
    DORA.apply(backbone, options)
    module = backbone.model.base_model.model.get_submodule("encoder.layer.1.attention.self.key")
    length = module.lora_magnitude_vector["default"].weight
    base = module.base_layer
    torch.testing.assert_close(length, base.weight.norm(dim=1))
    b = module.lora_B["default"].weight
    with torch.no_grad():
        b.normal_()
        length.mul_(1.5)
    whole = base.weight + 3 * b @ module.lora_A["default"].weight
    x = torch.randn(5, 32)
    by_hand = x @ (length[:, None] * whole / whole.norm(dim=1, keepdim=True)).T + base.bias
    torch.testing.assert_close(module(x), by_hand, atol=1e-5, rtol=1e-5)


def recurrent(*, changed: bool = True) -> LayeredBackbone:
    """Return a recurrent backbone with DoRA, no longer at its start."""
    torch.manual_seed(0)
    backbone = load_backbone("random:unirep_64")
    DORA.apply(backbone, OPTIONS)
    return change(backbone) if changed else backbone


def change(backbone: LayeredBackbone) -> LayeredBackbone:
    with torch.no_grad():
        for parameter in backbone.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter), alpha=0.05)
    return backbone


def of_plain_peft(backbone: LayeredBackbone) -> LayeredBackbone:
    """Return a copy that measures the rows in every product."""
    plain = copy.deepcopy(backbone)
    for layer in dora_layers(plain.model):
        del layer.get_lora_weight, layer.get_weight_norm
    plain.model.get_base_model()._forward_pre_hooks.clear()
    plain.model.get_base_model()._forward_hooks.clear()
    return plain


def vectors(backbone: Backbone) -> torch.Tensor:
    return backbone(backbone.pack(SEQUENCES, max_length=None))


@pytest.mark.parametrize("is_half", [False, True])
@pytest.mark.parametrize("recompute", [False, True])
def test_a_recurrent_network_has_the_states_and_gradients_of_peft(recompute: bool, is_half: bool):
    ours = recurrent()
    theirs = of_plain_peft(ours)
    for backbone in (ours, theirs):
        if recompute:
            backbone.recompute_activations()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_half):
            found = vectors(backbone.train())
        found.square().sum().backward()
    for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        if mine.requires_grad:
            assert mine.grad is not None, name
            assert mine.grad.abs().max() > 0, name
            torch.testing.assert_close(mine.grad, other.grad)
    for backbone in (ours, theirs):
        torch.manual_seed(1)
        change(backbone)
    torch.testing.assert_close(vectors(ours), vectors(theirs))


def test_a_recurrent_network_measures_its_rows_once_per_pass(monkeypatch: pytest.MonkeyPatch):
    measured, plain = [], DoraLinearLayer.get_weight_norm

    def counted(self: DoraLinearLayer, *args: Any, **options: Any) -> torch.Tensor:
        measured.append(self)
        return plain(self, *args, **options)

    monkeypatch.setattr(DoraLinearLayer, "get_weight_norm", counted)
    backbone = recurrent().eval()
    layers = [*dora_layers(backbone.model)]
    measured.clear()
    for _ in range(2):
        vectors(backbone)
    assert len(layers) > 1
    assert sorted(map(id, measured)) == sorted(map(id, layers * 2))


def test_a_loaded_adapter_has_the_same_states(tmp_path: Path):
    backbone = recurrent().eval()
    DORA.save(backbone, tmp_path)
    expected, loaded = vectors(backbone), recurrent(changed=False)
    DORA.load(loaded, tmp_path)
    torch.testing.assert_close(vectors(loaded.eval()), expected)
