"""Attention heads of a new ESM-2 that first attend to one neighbour each.

Random heads attend to all residues equally, so a network first learns composition, and nothing
else for a long time. Rotary positions turn a constant query and a constant key into a function of
their distance, so biases alone can point a head at a residue some places away.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from peftide.backbones.esm_masked import EsmMaskedLM

OFFSETS = (-1, 1, -2, 2, -3, 3, -4, 4)
FREQUENCIES = 12
"""Number of rotary frequencies used, the fastest: slower ones cannot tell neighbours apart."""
SHARPNESS = 3.0
"""Logit that each frequency adds to the right place, which then gets nine tenths."""
CONTENT = 0.2
"""Share of a head's random weights that is kept; larger weights would hide the distance."""


def look_locally(language_model: EsmMaskedLM) -> None:
    """Point all heads but the last of each layer at a neighbour: ±1 to ±4, in turn.

    Parameters
    ----------
    language_model
        A new model with rotary positions. Its attention weights and biases are changed.
    """
    number = 0
    for layer in language_model.model.esm.encoder.layer:
        attention = layer.attention.self
        width = attention.attention_head_size
        for head in range(attention.num_attention_heads - 1):
            query, key = pointing(OFFSETS[number % len(OFFSETS)], width)
            rows = slice(head * width, (head + 1) * width)
            _begin(attention.query, rows, query)
            _begin(attention.key, rows, key)
            number += 1


@torch.no_grad()
def _begin(linear: nn.Linear, rows: slice, bias: Float[Tensor, " W"]) -> None:
    linear.weight[rows] *= CONTENT
    linear.bias[rows] = bias


def pointing(offset: int, width: int) -> tuple[Float[Tensor, " W"], Float[Tensor, " W"]]:
    """Return the query and the key with which a head attends `offset` places on.

    Turned by their positions m and n, their product is the sum over frequencies f of
    SHARPNESS · √width · cos((n − m − offset) · f), which is largest at n = m + offset.

    Examples
    --------
    >>> query, key = pointing(0, 64)
    >>> round(float(query @ key) / 64**0.5 / SHARPNESS)  # one for each frequency
    12
    """
    half = width // 2
    count = min(FREQUENCIES, half)
    frequencies = 10000.0 ** (-torch.arange(count) / half)
    length = (SHARPNESS * width**0.5) ** 0.5
    query, key = torch.zeros(width), torch.zeros(width)
    query[:count] = length
    key[:count] = length * torch.cos(offset * frequencies)
    key[half : half + count] = -length * torch.sin(offset * frequencies)
    return query, key
