"""Rows in 8 bits that differ too much from those in bf16 are one error; nothing is written."""

from pathlib import Path

import pytest
import torch

import peftide
from peftide.backbones import LayeredBackbone
from peftide.backbones.int8_products import Int8Linear
from peftide.backbones.loading import load_backbone
from peftide.config import RunOptions
from peftide.encoding import ModelEncoder
from peftide.errors import InputError
from peftide.hardware import choose_hardware
from peftide.native.int8 import library
from peftide.predictor.embedding import backbone_encoder
from tests.conftest import random_sequences

compiled = pytest.mark.skipif(
    library() is None, reason="needs a CPU with AVX512-VNNI and a C compiler"
)
SEQUENCES = random_sequences(12, lengths=(20, 60))


def encoder_of(*, outlier: float = 0) -> ModelEncoder:
    """An encoder in 8 bits.

    An outlier among the inputs of each matrix, which multiplies it by zero, changes nothing but the
    steps of 8 bits, which become coarse.
    """
    backbone = load_backbone("mini")
    assert isinstance(backbone, LayeredBackbone)
    layers = backbone.model.encoder.layer if outlier else []
    for layer in layers:
        inside = layer.attention
        norms = {
            inside.LayerNorm: (inside.self.query, inside.self.key, inside.self.value),
            layer.LayerNorm: (layer.intermediate.dense,),
        }
        for norm, matrices in norms.items():
            norm.bias.data[3] = outlier
            for matrix in matrices:
                matrix.weight.data[:, 3] = 0
    return backbone_encoder(
        backbone, choose_hardware(RunOptions(device="cpu", precision="int8")), max_length=None
    )


@compiled
def test_close_rows_are_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, calls = encoder_of(), []
    multiply = Int8Linear.multiply
    monkeypatch.setattr(
        Int8Linear, "multiply", lambda *a, **k: calls.append(1) or multiply(*a, **k)
    )
    encoder.embed(SEQUENCES[:1])
    first = len(calls)
    encoder.embed(SEQUENCES[1:2])
    assert 0 < len(calls) - first < first


@compiled
def test_rows_that_differ_too_much_are_refused(tmp_path: Path) -> None:
    encoder = encoder_of(outlier=1_000)
    with pytest.raises(InputError, match="cosine") as raised:
        encoder.embed(SEQUENCES, store=tmp_path)
    assert "--precision" in str(raised.value)
    assert not list(tmp_path.iterdir())


@compiled
def test_numbers_that_are_not_finite_keep_their_own_error() -> None:
    encoder = encoder_of()
    next(iter(encoder.model.backbone.model.parameters())).data[:] = torch.nan
    with pytest.raises(peftide.PeftideError, match="not finite"):
        encoder.embed(SEQUENCES)
