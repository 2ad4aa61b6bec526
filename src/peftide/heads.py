"""Features → logits."""

from torch import nn


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
