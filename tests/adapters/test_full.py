"""Full fine-tuning trains all that takes part in the embedding, and nothing else."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from peftide.adapters.full import FULL, WEIGHTS_FILE
from peftide.backbones import Backbone
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions
from tests.conftest import TINY, random_sequences


def full_backbone(name: str) -> Backbone:
    backbone = load_backbone(name)
    FULL.apply(backbone, MethodOptions())
    return backbone


def test_only_the_contact_head_stays_frozen():
    frozen = {n for n, p in full_backbone(TINY).model.named_parameters() if not p.requires_grad}
    assert frozen == {"contact_head.regression.weight", "contact_head.regression.bias"}


def test_absolute_positions_train_and_are_used(esm1b_folder: Path):
    backbone = full_backbone(str(esm1b_folder))
    backbone(backbone.pack(random_sequences(3), max_length=None)).square().sum().backward()
    position_table = backbone.model.get_submodule("embeddings.position_embeddings").weight
    assert position_table.grad is not None
    assert position_table.grad.abs().sum() > 0


def test_a_position_table_that_nothing_reads_stays_frozen():
    backbone = load_backbone(TINY)
    backbone.model.get_submodule("embeddings").position_embeddings = nn.Embedding(4, 32)
    FULL.apply(backbone, MethodOptions())
    assert not backbone.model.get_submodule("embeddings.position_embeddings").weight.requires_grad


def test_all_weights_are_written(tmp_path: Path):
    backbone = full_backbone(TINY)
    FULL.save(backbone, tmp_path)
    written, state = load_file(tmp_path / WEIGHTS_FILE), backbone.model.state_dict()
    assert [path.name for path in tmp_path.iterdir()] == [WEIGHTS_FILE]
    assert written.keys() == state.keys()
    assert all(torch.equal(tensor, state[name]) for name, tensor in written.items())
