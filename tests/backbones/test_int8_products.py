"""Frozen layers in 8 bits: close to fp32 on real proteins; what trains is left alone."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from peftide.adapters import ADAPTERS
from peftide.backbones import Backbone, LayeredBackbone
from peftide.backbones.int8_products import Int8Linear, hold_frozen, without_int8
from peftide.backbones.loading import load_backbone
from peftide.backbones.wide_products import WideLinear
from peftide.config import MethodOptions
from peftide.errors import InputError
from peftide.native.int8 import library
from tests.conftest import TINY, random_sequences, real_proteins

compiled = pytest.mark.skipif(
    library() is None, reason="needs a CPU with AVX512-VNNI and a C compiler"
)
SEQUENCES = random_sequences(6, lengths=(5, 90), seed=2)


def means(backbone: Backbone, sequences: list[str], *, half: bool = True) -> Tensor:
    """Mean vectors of some sequences."""
    batch = backbone.pack(sequences, max_length=300)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        rows = backbone(batch)[batch.residue_rows].float()
    owners = range(len(sequences))
    return torch.stack([rows[batch.residue_owner == owner].mean(0) for owner in owners])


@compiled
def test_directions_of_100_real_proteins_hardly_change(data: Path) -> None:
    proteins = real_proteins(data, 100)
    backbone = load_backbone("mini")
    exact = means(backbone, proteins, half=False)
    hold_frozen(backbone, "int8")
    assert any(isinstance(module, Int8Linear) for module in backbone.modules())
    found = means(backbone, proteins)
    assert torch.cosine_similarity(exact, found).min() >= 0.999


@compiled
def test_rows_do_not_depend_on_their_neighbours() -> None:
    backbone = load_backbone(TINY)
    hold_frozen(backbone, "int8")
    together = means(backbone, SEQUENCES)
    assert torch.equal(together[3], means(backbone, SEQUENCES[3:4])[0])


@compiled
@pytest.mark.parametrize("method", [name for name in ADAPTERS if name != "head"])
def test_layers_that_train_are_left_alone(method: str) -> None:
    backbone = load_backbone("random:esm2_t6_8M")
    assert isinstance(backbone, LayeredBackbone)
    options = MethodOptions(method=method, lora_layers="last:2")
    ADAPTERS[method].apply(backbone, options)
    frozen = backbone.frozen_layers
    if not frozen:
        with pytest.raises(InputError, match="no frozen layers"):
            hold_frozen(backbone, "int8")
        return
    hold_frozen(backbone, "int8")
    named = backbone.model.named_modules()
    places = {name for name, module in named if isinstance(module, Int8Linear)}
    layers = {int(name.partition("encoder.layer.")[2].partition(".")[0]) for name in places}
    assert layers == set(range(frozen))


@compiled
def test_gradients_pass_through_the_numbers_in_bf16() -> None:
    backbone = load_backbone(TINY)
    halved = copy.deepcopy(backbone)
    hold_frozen(backbone, "int8")
    hold_frozen(halved, "bf16")
    found = []
    for each in (backbone, halved):
        assert isinstance(each, LayeredBackbone)
        batch = each.pack(SEQUENCES[:1], max_length=None)
        states = torch.ones(len(batch.input_ids), each.width, requires_grad=True)
        batch = replace(batch, hidden=states)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            each(batch).float().square().sum().backward()
        found.append(states.grad)
    assert found[0] is not None
    assert found[1] is not None
    assert torch.equal(found[0], found[1])


@compiled
def test_switching_it_off_gives_bf16_bit_for_bit() -> None:
    backbone = load_backbone(TINY)
    halved = copy.deepcopy(backbone)
    hold_frozen(backbone, "int8")
    hold_frozen(halved, "bf16")
    with without_int8(backbone):
        assert torch.equal(means(backbone, SEQUENCES), means(halved, SEQUENCES))
    assert not torch.equal(means(backbone, SEQUENCES), means(halved, SEQUENCES))


@compiled
def test_a_recurrent_network_is_refused() -> None:
    with pytest.raises(InputError, match="recurrent"):
        hold_frozen(load_backbone("random:unirep_64"), "int8")


def test_without_a_compiler_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("peftide.backbones.int8_products.library", lambda: None)
    with pytest.raises(InputError, match="compiler"):
        hold_frozen(load_backbone(TINY), "int8")


@compiled
def test_a_matrix_without_autocast_multiplies_as_before() -> None:
    """Whatever class it had: on a CPU without units for bf16 it is a widened one."""
    kinds: list[type[nn.Linear]] = [nn.Linear, WideLinear]
    for kind in kinds:
        matrix = kind(8, 4).bfloat16().requires_grad_(False)
        inputs = torch.randn(3, 8).bfloat16().requires_grad_()
        expected = nn.functional.linear(inputs, matrix.weight, matrix.bias)
        matrix.__class__ = Int8Linear
        assert isinstance(matrix, Int8Linear)
        matrix.unrounded_class, matrix.is_on = kind, True
        assert torch.equal(matrix(inputs), expected)
