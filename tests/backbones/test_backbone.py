"""A backbone knows its sizes, and gives one embedding per token."""

from pathlib import Path

import pytest
import torch

from peftide.backbones import Backbone, Origin
from peftide.backbones.loading import load_backbone
from tests.conftest import TINY


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone(TINY)


def test_sizes_are_those_of_the_configuration(backbone: Backbone):
    assert (backbone.layers, backbone.width, backbone.max_residues) == (2, 32, None)


def test_pack_crops_and_surrounds_each_sequence(backbone: Backbone):
    batch = backbone.pack(["MKVLLA", "MK"], max_length=3)
    assert batch.lengths == (5, 4)
    assert batch.residue_owner.tolist() == [0, 0, 0, 1, 1]
    assert batch.position_ids.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3]
    expected = [*backbone.vocabulary.encode("MKV"), *backbone.vocabulary.encode("MK")]
    assert batch.input_ids.tolist() == expected


def test_one_embedding_per_token(backbone: Backbone):
    batch = backbone.pack(["MKVLLA", "MK"], max_length=None)
    assert backbone(batch).shape == (12, 32)


def test_a_loaded_backbone_is_frozen_and_in_eval_mode(esm2_folder: Path):
    for backbone in [load_backbone(TINY), load_backbone(str(esm2_folder))]:
        assert not any(parameter.requires_grad for parameter in backbone.parameters())
        assert not any(module.training for module in backbone.model.modules())


def test_the_longest_sequence_of_absolute_positions_fits_and_no_longer_one(esm1b_folder: Path):
    backbone = load_backbone(str(esm1b_folder))
    assert backbone.max_residues == 1022
    with torch.no_grad():
        assert backbone(backbone.pack(["A" * 1022], max_length=None)).isfinite().all()
        with pytest.raises(IndexError):
            backbone(backbone.pack(["A" * 1023], max_length=None))


def test_rotary_positions_have_no_limit(backbone: Backbone):
    with torch.no_grad():
        assert backbone(backbone.pack(["A" * 1500], max_length=None)).shape == (1502, 32)


def test_origin_says_whether_weights_are_random():
    assert Origin(TINY, "esm", None, "0").is_random
    assert not Origin("lab/model", "esm", "1", "0").is_random
