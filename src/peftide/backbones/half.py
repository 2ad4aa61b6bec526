"""Hold the frozen matrices of a backbone in the type in which they are multiplied.

Under autocast, a matrix in fp32 is converted at each product. Here it is converted once, so memory
halves and each product gives the same bits.
"""

import torch
from torch import nn

from peftide.backbones.backbone import Backbone, LayeredBackbone

ADAPTED = ".base_layer"
"""End of the name that `peft` gives to a matrix with an adapter."""


def hold_half(backbone: Backbone, dtype: torch.dtype) -> None:
    """Convert the frozen matrices in the layers of a backbone.

    Norms, embeddings and everything that trains stay in fp32, and so do matrices with an adapter,
    because some methods compute with the matrix itself.
    """
    if dtype is torch.float32 or not isinstance(backbone, LayeredBackbone):
        return
    for name, module in backbone.model.named_modules():
        is_inside = f"{backbone.layer_prefix}." in name and not name.endswith(ADAPTED)
        if (
            not is_inside
            or not isinstance(module, nn.Linear)
            or module.weight.dtype != torch.float32
        ):
            continue
        for parameter in module.parameters(recurse=False):
            if not parameter.requires_grad:
                parameter.data = parameter.data.to(dtype)
