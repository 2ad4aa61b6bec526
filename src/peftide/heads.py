"""Features → logits."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Ensemble(nn.Module):
    """Several heads; their mean logit is the answer."""

    def __init__(self, *members: nn.Module) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, features: Float[Tensor, "B F"]) -> Float[Tensor, "B K"]:
        """Return the mean of the logits of all heads."""
        return torch.stack([head(features) for head in self.members]).mean(dim=0)


def build_heads(count: int, name: str, **settings: Any) -> nn.Module:
    """Return one prediction head, or an ensemble of several; settings as in `build_head`."""
    heads = [build_head(name, **settings) for _ in range(count)]
    return heads[0] if count == 1 else Ensemble(*heads)


def build_head(
    name: str, *, features: int, outputs: int, width: int, dropout: float
) -> nn.Sequential:
    """Return a prediction head.

    Parameters
    ----------
    name
        `linear`: one layer. `mlp`: one hidden layer of `width` with GELU.
    features, outputs
        F and K.

    Examples
    --------
    >>> build_head("linear", features=4, outputs=1, width=0, dropout=0.0)
    Sequential(
      (0): Linear(in_features=4, out_features=1, bias=True)
    )
    """
    if name == "linear":
        return nn.Sequential(nn.Linear(features, outputs))
    return nn.Sequential(
        nn.Dropout(dropout),
        nn.Linear(features, width),
        nn.GELU(),
        nn.Dropout(dropout),
        nn.Linear(width, outputs),
    )
