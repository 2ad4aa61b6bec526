"""A frozen backbone stays frozen, and leaves no file."""

from pathlib import Path

from peftide.adapters.head import HEAD
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions
from tests.conftest import TINY


def test_what_was_trainable_is_frozen():
    backbone = load_backbone(TINY)
    backbone.requires_grad_(True)
    HEAD.apply(backbone, MethodOptions())
    assert not any(parameter.requires_grad for parameter in backbone.parameters())


def test_nothing_is_written(tmp_path: Path):
    HEAD.save(load_backbone(TINY), tmp_path)
    assert list(tmp_path.iterdir()) == []
