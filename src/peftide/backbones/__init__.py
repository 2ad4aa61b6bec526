"""Protein language models by folder, hub id, alias, or `random:<alias>`."""

from peftide.backbones.architecture import Architecture
from peftide.backbones.backbone import Backbone, Origin
from peftide.backbones.bert import BERT
from peftide.backbones.electra import ELECTRA
from peftide.backbones.esm import ESM
from peftide.backbones.t5 import T5

BACKBONES: dict[str, Architecture] = {
    "esm": ESM,
    "bert": BERT,
    "electra": ELECTRA,
    "t5": T5,
}
"""`model_type` of a checkpoint's config.json → how peftide handles the family."""

__all__ = ["BACKBONES", "Architecture", "Backbone", "Origin"]
