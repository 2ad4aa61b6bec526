"""Protein language models by folder, hub id, alias, or `random:<alias>`.

Importing this package, or its names of backbones, loads no torch.
"""

from typing import TYPE_CHECKING, Any

from peftide.on_demand import OnDemand

if TYPE_CHECKING:
    from peftide.backbones.architecture import Architecture
    from peftide.backbones.backbone import (
        Backbone,
        LayeredBackbone,
        Origin,
        cut_below_training,
        layers_of,
    )
    from peftide.backbones.transformer import TransformerBackbone

BACKBONES: "OnDemand[Architecture]" = OnDemand(
    {
        "esm": "esm.ESM",
        "bert": "bert.BERT",
        "electra": "electra.ELECTRA",
        "t5": "t5.T5",
    },
    package=__name__,
)
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

_PUBLIC: "OnDemand[Any]" = OnDemand(
    {
        "Architecture": "architecture.Architecture",
        "Backbone": "backbone.Backbone",
        "LayeredBackbone": "backbone.LayeredBackbone",
        "Origin": "origin.Origin",
        "TransformerBackbone": "transformer.TransformerBackbone",
        "cut_below_training": "backbone.cut_below_training",
        "layers_of": "backbone.layers_of",
    },
    package=__name__,
)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _PUBLIC[name]
