"""Protein language models by folder, hub id, alias, or `random:<alias>`."""

from peftide.backbones.architecture import Architecture
from peftide.backbones.backbone import Backbone, Origin
from peftide.backbones.esm import ESM

BACKBONES: dict[str, Architecture] = {
    "esm": ESM,
}
"""`model_type` of a checkpoint's config.json → how peftide handles the family."""

__all__ = ["BACKBONES", "Architecture", "Backbone", "Origin"]
