"""A sequence whose embedding is not finite → the layer where it begins, and its cause."""

from collections.abc import Iterator

import torch
from torch import nn

from peftide.backbones import Backbone, LayeredBackbone
from peftide.errors import NotFiniteError
from peftide.packing import PackedBatch
from peftide.quantities import count_of

FIRST = "already in the embeddings of its tokens"


def damaged_tensors(module: nn.Module) -> Iterator[str]:
    """Yield the names of parameters and buffers with NaN or infinity."""
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            yield name


def first_layer(backbone: Backbone, batch: PackedBatch) -> str:
    """Return the first layer whose output is not finite, in words; empty without layers."""
    if not isinstance(backbone, LayeredBackbone):
        return ""
    for layer in range(backbone.layers + 1):
        if not bool(torch.isfinite(backbone.hidden_states(batch, layer)).all()):
            return f"first in layer {layer} of {backbone.layers}" if layer else FIRST
    return f"first behind layer {backbone.layers} of {backbone.layers}"


def explained(
    error: NotFiniteError, backbone: Backbone, *, named: str, layer: str, precision: str
) -> NotFiniteError:
    """Return the error with the protein, the layer and the cause.

    Parameters
    ----------
    named
        The protein.
    layer
        As `first_layer` gives it.
    precision
        In which the backbone computes.
    """
    damaged = list(damaged_tensors(backbone.model))
    cause, fix = "", "Leave the sequence out, or choose another backbone"
    if damaged:
        cause = (
            f"; its weights hold NaN or infinity in {count_of(len(damaged), 'tensor')}, "
            f"for instance {damaged[0]}"
        )
        fix = "Download or train the backbone again"
    elif precision != "fp32":
        cause = "; the largest number of fp16 is 65,504" if precision == "fp16" else ""
        fix = "Use --precision fp32"
    place = f", {layer}" if layer else ""
    return NotFiniteError(
        f"the backbone {backbone.origin.name} gives numbers that are not finite for "
        f"{named}{place}{cause}",
        index=error.index,
        fix=fix,
    )
