"""The layer computes what that of `transformers` computes, gradients included."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from transformers import EsmModel
from transformers.models.esm.modeling_esm import EsmLayer

from peftide.adapters import ADAPTERS
from peftide.backbones import BACKBONES, LayeredBackbone
from peftide.backbones.esm import esm_config
from peftide.backbones.esm_layer import _product, turned
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions
from tests.conftest import TINY, random_sequences, randomise

SEQUENCES = random_sequences(6, lengths=(3, 40))


def backbone_of(method: str = "head") -> LayeredBackbone:
    backbone = load_backbone(TINY)
    ADAPTERS[method].apply(backbone, MethodOptions(lora_dropout=0.0, lora_layers="all"))
    randomise(backbone)
    return backbone.double()


def with_layers_of_transformers(backbone: LayeredBackbone) -> LayeredBackbone:
    other = deepcopy(backbone)
    modules: dict[str, Any] = dict(other.named_modules())
    for name, module in modules.items():
        if name.rpartition(".")[0].endswith("encoder.layer"):
            module.__class__ = EsmLayer
    return other


def forward(backbone: LayeredBackbone) -> torch.Tensor:
    return backbone(backbone.pack(SEQUENCES, max_length=None))


def assert_equal(found: torch.Tensor, expected: torch.Tensor, name: str = "") -> None:
    """Compare doubles; `transformers` turns queries and keys in fp32 whatever their type."""
    assert (found - expected).norm() < 1e-5 * expected.norm(), name


def test_the_answer_is_that_of_the_layers_of_transformers() -> None:
    backbone = backbone_of()
    with torch.no_grad():
        found, expected = forward(backbone), forward(with_layers_of_transformers(backbone))
    assert_equal(found, expected)


@pytest.mark.parametrize("method", ["lora", "full", "bias", "ia3"])
def test_gradients_are_those_of_the_layers_of_transformers(method: str) -> None:
    backbone = backbone_of(method)
    other = with_layers_of_transformers(backbone)
    for model in (backbone, other):
        forward(model).square().sum().backward()
    trained = [name for name, p in backbone.named_parameters() if p.requires_grad]
    assert trained
    for name in trained:
        found, expected = (m.get_parameter(name).grad for m in (backbone, other))
        assert found is not None, name
        assert expected is not None, name
        assert_equal(found, expected, name)


def test_half_precision_is_nearer_to_the_truth_than_the_layers_of_transformers() -> None:
    backbone = backbone_of().float()
    with torch.no_grad():
        truth = forward(backbone)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            errors = [
                (forward(model) - truth).norm()
                for model in (backbone, with_layers_of_transformers(backbone))
            ]
    assert 0 < errors[0] < 1.05 * errors[1]


def test_gelu_of_a_product_is_rounded_once_and_an_adapter_is_still_called() -> None:
    dense = nn.Linear(32, 128).bfloat16().requires_grad_(False)
    normed = torch.randn(9, 32, generator=torch.Generator().manual_seed(0)).bfloat16()
    truth = functional.gelu(
        functional.linear(*(x.float() for x in (normed, dense.weight, dense.bias)))
    )
    with torch.no_grad():
        fused = _product(dense, normed, gelu=True)
        assert fused.dtype == torch.bfloat16
        in_two_steps = functional.gelu(dense(normed))
        assert (fused - truth).norm() <= (in_two_steps - truth).norm()
        twice = _product(
            nn.Sequential(dense), normed, gelu=True
        )  # any other module than a plain matrix
        assert torch.equal(twice, in_two_steps)
    needs = normed.clone().requires_grad_()
    assert _product(dense, needs, gelu=True).requires_grad


def test_scalar_products_depend_on_the_distance_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    query, key = (torch.randn(1, 2, 6, generator=generator).expand(9, 2, 6) for _ in range(2))
    turns = torch.polar(torch.ones(9, 1, 3), torch.arange(9)[:, None, None] * torch.rand(3))
    scores = torch.einsum("nhw,mhw->hnm", turned(query, turns), turned(key, turns))
    for distance in range(-8, 9):
        diagonal = scores.diagonal(distance, 1, 2)
        torch.testing.assert_close(diagonal, diagonal[:, :1].expand_as(diagonal))
    assert (scores[:, 0, 0] - scores[:, 0, 3]).abs().min() > 1e-3


@pytest.mark.parametrize("dropout", ["hidden_dropout_prob", "attention_probs_dropout_prob"])
def test_dropout_acts_where_a_layer_trains(dropout: str) -> None:
    backbone = load_backbone(TINY)
    backbone.model = EsmModel(esm_config(2, 32, 4, **{dropout: 0.5}), add_pooling_layer=False)
    BACKBONES["esm"].prepare(backbone.model)
    with torch.no_grad():
        assert not torch.equal(forward(backbone.train()), forward(backbone))
        assert torch.equal(forward(backbone.eval()), forward(backbone))


def test_another_device_runs_the_layers_of_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = load_backbone(TINY)
    layer = backbone.model.encoder.layer[0]
    called: list[torch.device] = []
    monkeypatch.setattr(EsmLayer, "forward", lambda _self, x, **_: called.append(x.device) or x)
    layer(torch.empty(1, 3, 32, device="meta"), sequence_lengths=(3,))
    assert [device.type for device in called] == ["meta"]


@pytest.mark.parametrize("method", ["lora", "full"])
def test_recomputed_activations_run_the_layer_twice_and_give_the_same_gradients(
    method: str,
) -> None:
    calls, gradients = [], []
    for recompute in (False, True):
        backbone = backbone_of(method).train()
        if recompute:
            backbone.recompute_activations()
        counted: list[int] = []
        dense = next(m for n, m in backbone.named_modules() if n.endswith("0.intermediate.dense"))
        dense.register_forward_hook(lambda *_, into=counted: into.append(1))
        forward(backbone).square().sum().backward()
        calls.append(len(counted))
        gradients.append({n: p.grad for n, p in backbone.named_parameters() if p.requires_grad})
    assert calls == [1, 2]
    for name, found in gradients[1].items():
        assert_equal(found, gradients[0][name], name)
