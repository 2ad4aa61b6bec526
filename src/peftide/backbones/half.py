"""Hold the frozen matrices of a backbone in the type in which they are multiplied.

Under autocast, a matrix in fp32 is converted at each product. Here it is converted once, so memory
halves and each product gives the same bits.
"""

from collections.abc import Iterator

import torch
from torch import nn

from peftide.backbones.backbone import Backbone, LayeredBackbone

ADAPTED = ".base_layer"
"""End of the name that `peft` gives to a matrix with an adapter."""


def layer_matrices(model: nn.Module, layer_prefix: str) -> Iterator[tuple[str, nn.Linear]]:
    """Yield the matrices inside the layers of a model, with their names."""
    for name, module in model.named_modules():
        if f"{layer_prefix}." in name and isinstance(module, nn.Linear):
            yield name, module


def halved_names(model: nn.Module, layer_prefix: str) -> set[str]:
    """Return the names of the tensors that `--precision bf16` holds in bf16."""
    return {
        f"{name}.{kind}"
        for name, module in layer_matrices(model, layer_prefix)
        for kind, _ in module.named_parameters(recurse=False)
    }


def hold_half(backbone: Backbone, dtype: torch.dtype) -> None:
    """Convert the frozen matrices in the layers of a backbone.

    Norms, embeddings and everything that trains stay in fp32, and so do matrices that have an
    adapter already, because some methods compute with the matrix itself.
    """
    if dtype is torch.float32 or not isinstance(backbone, LayeredBackbone):
        return
    for name, module in layer_matrices(backbone.model, backbone.layer_prefix):
        if name.endswith(ADAPTED) or module.weight.dtype != torch.float32:
            continue
        for parameter in module.parameters(recurse=False):
            if not parameter.requires_grad:
                parameter.data = parameter.data.to(dtype)
