"""Frozen matrices in half precision give the bits of autocast, which converts them each time."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import peftide
from peftide.adapters import ADAPTERS
from peftide.backbones import LayeredBackbone
from peftide.backbones.half import hold_half
from peftide.backbones.loading import load_backbone
from peftide.commands.train import train
from peftide.config import MethodOptions
from tests.conftest import TINY, random_sequences, save_checkpoint, small_config

SEQUENCES = random_sequences(4, lengths=(5, 40), seed=2)
BACKBONES = (TINY, "random:unirep_64")


def embedded(backbone: LayeredBackbone, dtype: torch.dtype) -> torch.Tensor:
    batch = backbone.pack(SEQUENCES, max_length=None)
    with torch.no_grad(), torch.autocast("cpu", dtype=dtype):
        return backbone(batch)


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_bits_are_those_of_autocast(name: str, dtype: torch.dtype) -> None:
    backbone = load_backbone(name)
    expected = embedded(backbone, dtype)
    before = sum(p.nbytes for p in backbone.parameters())
    hold_half(backbone, dtype)
    assert sum(p.nbytes for p in backbone.parameters()) < 0.7 * before
    assert torch.equal(embedded(backbone, dtype), expected)


@pytest.mark.parametrize("method", ADAPTERS)
def test_what_trains_stays_in_fp32_and_keeps_its_bits(method: str) -> None:
    torch.manual_seed(0)
    backbone = load_backbone(TINY)
    ADAPTERS[method].apply(backbone, MethodOptions(method=method))
    torch.manual_seed(1)
    for parameter in backbone.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.1)
    halved = copy.deepcopy(backbone.eval())  # no dropout
    hold_half(halved, torch.bfloat16)
    trained = [p for p in halved.parameters() if p.requires_grad]
    assert {p.dtype for p in trained} <= {torch.float32}
    assert torch.equal(*(embedded(each, torch.bfloat16) for each in (backbone, halved)))


def test_fp32_changes_nothing() -> None:
    backbone = load_backbone(TINY)
    hold_half(backbone, torch.float32)
    assert {p.dtype for p in backbone.parameters()} == {torch.float32}


def test_norms_and_embeddings_stay_in_fp32() -> None:
    backbone = load_backbone(TINY)
    hold_half(backbone, torch.bfloat16)
    kinds = {n: p.dtype for n, p in backbone.model.named_parameters()}
    kept = {n for n, kind in kinds.items() if kind is torch.float32}
    assert {n for n in kinds if "norm" in n.lower() or "embeddings" in n} <= kept
    assert backbone.model.rotary_embeddings.inv_freq.dtype is torch.float32


def test_directions_of_mini_hardly_change() -> None:
    """The promise of half precision: a cosine of at least .999 for each mean vector."""
    backbone = load_backbone("mini")
    batch = backbone.pack(SEQUENCES, max_length=None)
    with torch.no_grad():
        exact = backbone(batch)
    hold_half(backbone, torch.bfloat16)
    found = embedded(backbone, torch.bfloat16).float()
    for sequence in range(len(SEQUENCES)):
        rows = batch.residue_rows[batch.residue_owner == sequence]
        means = [states[rows].mean(0) for states in (exact, found)]
        assert torch.cosine_similarity(*means, dim=0) >= 0.999


@pytest.mark.parametrize("method", ["head", "lora", "vera"])
def test_a_run_on_a_stored_checkpoint_is_read_back(tmp_path: Path, method: str) -> None:
    """Its matrices are loaded in half precision, in training and afterwards."""
    backbone = str(save_checkpoint(tmp_path / "checkpoint"))
    config = small_config(
        tmp_path, "regression", method, epochs=1, precision="bf16", baselines=("none",)
    )
    result = train(replace(config, backbone=backbone))
    half, exact = (peftide.load(result.path, precision=kind) for kind in ("bf16", "fp32"))
    kinds = {p.dtype for p in half.encoder.model.backbone.parameters()}
    assert kinds == {torch.bfloat16, torch.float32}
    found, expected = (each.predict(SEQUENCES)["prediction"] for each in (half, exact))
    np.testing.assert_allclose(found, expected, atol=0.01)
