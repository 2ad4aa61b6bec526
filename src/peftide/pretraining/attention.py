"""Attention among the tokens of a piece, for rows that hold several."""

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from peftide.packing import register_attention

ROW_ATTENTION = "peftide_rows"


def register_row_attention() -> None:
    """Make `attn_implementation="peftide_rows"` known to transformers."""
    register_attention(ROW_ATTENTION, row_attention)


def row_attention(
    module: torch.nn.Module,
    query: Float[Tensor, "B heads T width"],
    key: Float[Tensor, "B heads T width"],
    value: Float[Tensor, "B heads T width"],
    attention_mask: None = None,
    **options: Any,
) -> tuple[Float[Tensor, "B T heads width"], None]:
    """Attend within each piece. Options: transformers' `scaling`, and `same_piece`.

    On a CPU two matrix products and a softmax, which the compiler fuses, are faster than torch's
    fused attention in training, whose backward pass is slow there.
    """
    same_piece: Bool[Tensor, "B 1 T T"] = options["same_piece"]
    scale = options["scaling"]
    if query.device.type == "cpu":
        scores = (query @ key.transpose(2, 3)) * scale
        weights = scores.masked_fill(~same_piece, float("-inf")).softmax(dim=-1)
        mixed = weights.to(value.dtype) @ value
    else:
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=same_piece, scale=scale
        )
    return mixed.transpose(1, 2).contiguous(), None
