"""Numbers that are not finite are noticed where they are made, and their cause is named."""

import math
from pathlib import Path

import pytest
import torch

from peftide.backbones.loading import load_backbone
from peftide.config.options import RunOptions
from peftide.engine.not_finite import damaged_tensors, first_layer
from peftide.errors import NotFiniteError
from peftide.hardware import choose_hardware
from peftide.predictor.embedding import backbone_encoder
from tests.conftest import TINY

VALUE = "encoder.layer.1.attention.self.value.weight"
EMBEDDING = "embeddings.word_embeddings.weight"
CPU = RunOptions(device="cpu", precision="fp32", threads=1)


@pytest.mark.parametrize(
    ("tensor", "layer"),
    [
        (VALUE, "first in layer 2 of 2"),
        (EMBEDDING, "already in the embeddings of its tokens"),
        ("encoder.emb_layer_norm_after.weight", "first behind layer 2 of 2"),
    ],
)
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_the_first_layer_and_the_tensor_are_named(tensor: str, layer: str, value: float) -> None:
    backbone = load_backbone(TINY)
    with torch.no_grad():
        backbone.model.get_parameter(tensor)[5] = value
    assert list(damaged_tensors(backbone.model)) == [tensor]
    assert first_layer(backbone, backbone.pack(["MKA"], max_length=None)) == layer


def test_the_protein_is_named_in_a_batch_and_nothing_counts_as_stored(tmp_path: Path) -> None:
    backbone = load_backbone(TINY)
    tryptophan = backbone.vocabulary.letter_ids[ord("W")]
    with torch.no_grad():
        backbone.model.get_parameter(EMBEDDING)[tryptophan] = math.nan
    encoder = backbone_encoder(backbone, choose_hardware(CPU), max_length=None)
    said = r"not finite for third \(4 residues\), already in the embeddings.*in 1 tensor,.*word_emb"
    for _ in range(2):
        with pytest.raises(NotFiniteError, match=said) as caught:
            encoder.embed(["MKA", "MKV", "MKWA"], store=tmp_path, ids=["a", "b", "third"])
        assert caught.value.index == 2
    assert encoder.embed(["MKA", "MKV"]).rows.isfinite().all()


def test_rows_that_half_precision_cannot_hold_are_refused() -> None:
    backbone = load_backbone(TINY)
    with torch.no_grad():
        backbone.model.get_parameter("encoder.emb_layer_norm_after.weight").fill_(1e6)
    encoder = backbone_encoder(backbone, choose_hardware(CPU), max_length=None, per_residue=True)
    assert encoder.embed(["MKA"], exact=True).rows.isfinite().all()
    with pytest.raises(NotFiniteError):
        encoder.embed(["MKA"])
