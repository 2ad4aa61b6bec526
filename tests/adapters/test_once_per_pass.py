"""Adapters of `peft` on a recurrent network, beside plain `peft`."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

from peftide.adapters import ADAPTERS
from peftide.adapters.once_per_pass import DoraProduct, Remembered, RoundedProduct
from peftide.backbones import Backbone, LayeredBackbone
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions
from tests.conftest import random_sequences

SEQUENCES = random_sequences(4, lengths=(3, 12))
METHODS = ("lora", "dora", "pissa", "adalora")


def recurrent(method: str, *, dropout: float = 0.0) -> LayeredBackbone:
    """Return a recurrent backbone with an adapter, no longer at its start."""
    torch.manual_seed(0)
    backbone = load_backbone("random:unirep_64")
    options = MethodOptions(method=method, lora_r=4, lora_dropout=dropout, lora_layers="all")
    ADAPTERS[method].apply(backbone, options)
    return change(backbone)


def change(backbone: LayeredBackbone) -> LayeredBackbone:
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in backbone.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter), alpha=0.05)
    return backbone


def of_plain_peft(backbone: LayeredBackbone) -> LayeredBackbone:
    """Return a copy that computes everything in every product."""
    plain = copy.deepcopy(backbone)
    for product in products(plain):
        del (product.layer if isinstance(product, DoraProduct) else product.matrix).forward
    plain.model.get_base_model()._forward_pre_hooks.clear()
    plain.model.get_base_model()._forward_hooks.clear()
    return plain


def products(backbone: LayeredBackbone) -> list[DoraProduct | RoundedProduct]:
    found = [vars(module).get("forward") for module in backbone.model.modules()]
    return [one for one in found if isinstance(one, DoraProduct | RoundedProduct)]


def vectors(backbone: Backbone) -> torch.Tensor:
    torch.manual_seed(2)  # of the dropout
    return backbone(backbone.pack(SEQUENCES, max_length=None))


def gradients(backbone: LayeredBackbone, *, is_half: bool) -> torch.Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_half):
        found = vectors(backbone.train())
    backbone.zero_grad()
    found.square().sum().backward()
    trained = [one.grad for one in backbone.parameters() if one.requires_grad]
    assert all(one is not None and one.abs().max() > 0 for one in trained)
    return torch.cat([one.flatten() for one in trained if one is not None])


@pytest.mark.parametrize("dropout", [0.0, 0.2])
@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_states_and_gradients_are_those_of_peft(method: str, recompute: bool, dropout: float):
    ours = recurrent(method, dropout=dropout)
    theirs = of_plain_peft(ours)
    assert products(ours)
    assert not products(theirs)
    for backbone in (ours, theirs):
        if recompute:
            backbone.recompute_activations()
    mine, others = (gradients(one, is_half=False) for one in (ours, theirs))
    torch.testing.assert_close(mine, others)
    for backbone in (ours, theirs):
        change(backbone)
    torch.testing.assert_close(vectors(ours), vectors(theirs))


@pytest.mark.parametrize("method", METHODS)
def test_in_half_precision_gradients_are_as_near_to_fp32(method: str):
    ours = recurrent(method)
    theirs = of_plain_peft(ours)
    exact = gradients(theirs, is_half=False)
    near, peft = ((gradients(one, is_half=True) - exact).norm() for one in (ours, theirs))
    assert peft > 0
    assert near <= 1.05 * peft


def test_a_pass_computes_once(monkeypatch: pytest.MonkeyPatch):
    computed: list[Remembered] = []
    call = Remembered.__call__

    def counted(self: Remembered, *args: Any, **options: Any) -> torch.Tensor:
        if self.found is None:
            computed.append(self)
        return call(self, *args, **options)

    backbone = recurrent("dora").eval()
    monkeypatch.setattr(Remembered, "__call__", counted)
    for _ in range(2):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            vectors(backbone)
    expected = [id(one.remembered) for one in products(backbone)]
    assert len(expected) > 1
    assert sorted(map(id, computed)) == sorted(expected * 2)


@pytest.mark.parametrize("method", METHODS)
def test_a_loaded_adapter_has_the_same_states(method: str, tmp_path: Path):
    backbone = recurrent(method).eval()
    ADAPTERS[method].finish(backbone)
    ADAPTERS[method].save(backbone, tmp_path)
    expected, loaded = vectors(backbone), load_backbone("random:unirep_64")
    ADAPTERS[method].load(loaded, tmp_path)
    assert products(loaded)
    torch.testing.assert_close(vectors(loaded.eval()), expected)


def test_a_changed_frozen_matrix_is_rounded_again():
    backbone = recurrent("pissa").eval()
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        before = vectors(backbone)
        for product in products(backbone):
            if isinstance(product, RoundedProduct):
                product.matrix.weight.mul_(2.0)
        assert not torch.equal(vectors(backbone), before)
        torch.testing.assert_close(vectors(backbone), vectors(of_plain_peft(backbone)))
