"""Protein language models by folder, hub id, alias, or `random:<alias>`."""

from peftide.backbones.architecture import Architecture
from peftide.backbones.backbone import (
    Backbone,
    LayeredBackbone,
    Origin,
    cut_below_training,
    layers_of,
)
from peftide.backbones.bert import BERT
from peftide.backbones.electra import ELECTRA
from peftide.backbones.esm import ESM
from peftide.backbones.t5 import T5
from peftide.backbones.transformer import TransformerBackbone

BACKBONES: dict[str, Architecture] = {
    "esm": ESM,
    "bert": BERT,
    "electra": ELECTRA,
    "t5": T5,
}
"""`model_type` of a checkpoint's config.json → how peftide handles the family."""

__all__ = [
    "BACKBONES",
    "Architecture",
    "Backbone",
    "LayeredBackbone",
    "Origin",
    "TransformerBackbone",
    "cut_below_training",
    "layers_of",
]
