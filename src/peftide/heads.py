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


class DotHead(nn.Module):
    """Order-free score of two vectors by inner products, which can be searched.

    A hidden layer turns each vector x into h(x) = GELU(W x + c); u(x) is a linear map of h(x).
    The logit of output k is Σ_i s_ki u_i(a) u_i(b) + v_k·(h(a) + h(b)) + bias_k. With the signs s,
    this is an inner product of two vectors, one for each protein; so the scores of many proteins
    with many others are one product of matrices.
    """

    def __init__(self, features: int, outputs: int, *, width: int, dropout: float) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(features // 2, width), nn.GELU(), nn.Dropout(dropout)
        )
        self.project = nn.Linear(width, width)
        self.signs = nn.Linear(width, outputs, bias=False)
        self.own = nn.Linear(width, outputs)

    def forward(self, features: Float[Tensor, "*B F"]) -> Float[Tensor, "*B K"]:
        """Return the logits of pairs whose two vectors stand side by side."""
        hidden = self.hidden(features.unflatten(-1, (2, -1)))
        a, b = self.project(hidden).unbind(dim=-2)
        return self.signs(a * b) + self.own(hidden.sum(dim=-2))


def build_heads(count: int, name: str, **settings: Any) -> nn.Module:
    """Return one prediction head, or an ensemble of several.

    Parameters
    ----------
    name
        `dot`: `DotHead`. Otherwise as in `build_head`, and so are the settings.
    """
    heads = [
        DotHead(**settings) if name == "dot" else build_head(name, **settings) for _ in range(count)
    ]
    return heads[0] if count == 1 else Ensemble(*heads)


def build_head(
    name: str, *, features: int, outputs: int, width: int, dropout: float
) -> nn.Sequential:
    """Return a prediction head of layers, one after the other.

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
