"""Features → logits."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from peftide.pairing import PAIRINGS, MeanPairing, OrderFree


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

    Parameters
    ----------
    dropout
        None: 0.3.
    """

    def __init__(self, features: int, outputs: int, *, width: int, dropout: float | None) -> None:
        super().__init__()
        dropout = 0.3 if dropout is None else dropout
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


class FirstPaired(nn.Module):
    """The features of pairs whose two vectors stand side by side."""

    def __init__(self, pairing: OrderFree | MeanPairing) -> None:
        super().__init__()
        self.pairing = pairing

    def forward(self, features: Float[Tensor, "*B W"]) -> Float[Tensor, "*B F"]:
        """Return the features that this pairing makes of both vectors."""
        a, b = features.unflatten(-1, (2, -1)).unbind(dim=-2)
        return self.pairing.pair(a, b)


def build_heads(
    count: int, name: str, *, pairing: str = "order_free", **settings: Any
) -> nn.Module:
    """Return one prediction head, or an ensemble of several.

    Parameters
    ----------
    count
        Number of heads of each form.
    name
        `dot`: `DotHead`. `mlp,dot`: heads of both forms, for two vectors side by side. Otherwise as
        in `build_head`, and so are the settings.
    pairing
        The pairing of the heads beside a dot head: a key of `PAIRINGS`.
    """
    forms = name.split(",")
    if len(forms) > 1:
        settings["pairing"] = PAIRINGS[pairing]()
    heads = [_build_form(form, **settings) for form in forms for _ in range(count)]
    return heads[0] if len(heads) == 1 else Ensemble(*heads)


def _build_form(
    name: str,
    *,
    features: int,
    pairing: OrderFree | MeanPairing | None = None,
    **settings: Any,
) -> nn.Module:
    """Return a head of one form; with a pairing, for two vectors side by side."""
    if name == "dot":
        return DotHead(features, **settings)
    if pairing is None:
        return build_head(name, features=features, **settings)
    head = build_head(name, features=pairing.features(features // 2), **settings)
    return nn.Sequential(FirstPaired(pairing), *head)


def build_head(
    name: str, *, features: int, outputs: int, width: int, dropout: float | None
) -> nn.Sequential:
    """Return a prediction head of layers, one after the other.

    Parameters
    ----------
    name
        `linear`: one layer. `mlp`: one hidden layer of `width` with GELU.
    features, outputs
        F and K.
    dropout
        None: 0.1.

    Examples
    --------
    >>> build_head("linear", features=4, outputs=1, width=0, dropout=0.0)
    Sequential(
      (0): Linear(in_features=4, out_features=1, bias=True)
    )
    """
    if name == "linear":
        return nn.Sequential(nn.Linear(features, outputs))
    dropout = 0.1 if dropout is None else dropout
    return nn.Sequential(
        nn.Dropout(dropout),
        nn.Linear(features, width),
        nn.GELU(),
        nn.Dropout(dropout),
        nn.Linear(width, outputs),
    )
