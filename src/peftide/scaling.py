"""Pooled vectors → vectors of mean 0 and standard deviation 1 over the training proteins."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Scaling(nn.Module):
    """Standardise each dimension with statistics fitted once, on training proteins only.

    A product of unscaled features is mostly noise; this is what makes a∘b useful in pairing. The
    first `unscaled` columns stay as they are.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int, *, unscaled: int = 0) -> None:
        super().__init__()
        self.unscaled = unscaled
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))

    def fit(self, rows: Float[Tensor, "R D"]) -> None:
        """Set mean and deviation; a dimension that never varies is only centred.

        Examples
        --------
        >>> scaling = Scaling(2)
        >>> scaling.fit(torch.tensor([[0.0, 5.0], [2.0, 5.0]]))
        >>> scaling(torch.tensor([[2.0, 5.0]])).tolist()
        [[1.0, 0.0]]
        """
        rows = rows.double()
        deviation = rows.std(dim=0, correction=0)
        self.mean.copy_(rows.mean(dim=0))
        self.deviation.copy_(torch.where(deviation > 1e-6, deviation, 1.0))
        self.mean[: self.unscaled], self.deviation[: self.unscaled] = 0.0, 1.0

    def forward(self, rows: Float[Tensor, "R D"]) -> Float[Tensor, "R D"]:
        """Return the standardised rows, in fp32."""
        return (rows.float() - self.mean) / self.deviation
