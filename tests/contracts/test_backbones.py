"""What every family of `BACKBONES` promises: sequences never see each other, nor any padding."""

from pathlib import Path

import numpy as np
import pytest
import torch

from peftide.backbones import BACKBONES, Backbone
from peftide.backbones.loading import load_backbone
from peftide.pooling import AttentionPooling, MeanPooling
from tests.conftest import AMINO_ACIDS, random_sequences

CHECKPOINTS = {"esm": ["esm2_folder", "esm1b_folder"]}
"""Fixtures with tiny checkpoints of each family."""
SEQUENCES = ["M", *random_sequences(10, lengths=(2, 60)), "MKVLLA"]


@pytest.fixture(scope="module", params=[f for found in CHECKPOINTS.values() for f in found])
def folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def backbone(folder: Path) -> Backbone:
    return load_backbone(str(folder))


def embed(backbone: Backbone, sequences: list[str]) -> list[torch.Tensor]:
    batch = backbone.pack(sequences, max_length=None)
    with torch.no_grad():
        return list(backbone(batch).split(batch.lengths))


def pooled(backbone: Backbone, sequences: list[str]) -> torch.Tensor:
    batch = backbone.pack(sequences, max_length=None)
    with torch.no_grad():
        return MeanPooling()(backbone(batch), batch)


def test_every_family_has_a_checkpoint_to_test():
    assert CHECKPOINTS.keys() == BACKBONES.keys()


def test_alone_is_as_in_a_batch(backbone: Backbone):
    for sequence, together in zip(SEQUENCES, embed(backbone, SEQUENCES), strict=True):
        alone = embed(backbone, [sequence])[0]
        torch.testing.assert_close(alone, together, atol=1e-5, rtol=0)


def test_neighbours_and_order_do_not_matter(backbone: Backbone):
    order = np.random.default_rng(0).permutation(len(SEQUENCES))
    expected = embed(backbone, SEQUENCES)
    shuffled = embed(backbone, [SEQUENCES[k] for k in order])
    for place, found in zip(order, shuffled, strict=True):
        torch.testing.assert_close(found, expected[place], atol=1e-5, rtol=0)


def test_sequences_differ_from_one_another(backbone: Backbone):
    vectors = pooled(backbone, SEQUENCES)
    distances = torch.cdist(vectors, vectors) + torch.eye(len(SEQUENCES)) * 100
    assert distances.min() > 0.01


def test_every_residue_matters(backbone: Backbone):
    before = pooled(backbone, ["MKVLLA"])
    for place in range(6):
        changed = "MKVLLA"[:place] + "W" + "MKVLLA"[place + 1 :]
        assert (pooled(backbone, [changed]) - before).abs().max() > 0.01


def test_pooling_leaves_special_tokens_out(backbone: Backbone):
    batch = backbone.pack(SEQUENCES, max_length=None)
    with torch.no_grad():
        tokens = backbone(batch)
    special = torch.ones(len(tokens), dtype=torch.bool)
    special[batch.residue_rows] = False
    assert special.sum() == len(SEQUENCES) * backbone.vocabulary.special_tokens
    changed = torch.where(special[:, None], torch.randn_like(tokens) * 100, tokens)
    for pooling in [MeanPooling(), AttentionPooling(backbone.width)]:
        assert torch.equal(pooling(tokens, batch), pooling(changed, batch))


def test_amino_acids_have_tokens_of_their_own(backbone: Backbone):
    ids = backbone.vocabulary.encode(AMINO_ACIDS)
    assert len(set(ids.tolist())) == 20 + backbone.vocabulary.special_tokens


def test_twice_the_same_bits(folder: Path, backbone: Backbone):
    again = load_backbone(str(folder))
    assert again.origin == backbone.origin
    for first, second in zip(embed(backbone, SEQUENCES), embed(again, SEQUENCES), strict=True):
        assert torch.equal(first, second)


def test_sizes_are_said(backbone: Backbone):
    tokens = embed(backbone, ["MKVLLA"])[0]
    assert tokens.shape == (6 + backbone.vocabulary.special_tokens, backbone.width)
    assert backbone.layers > 0
