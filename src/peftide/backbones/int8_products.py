"""The frozen matrices of a backbone in 8 bits, on a CPU that multiplies these twice as fast."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from peftide.native.int8 import Int8Matrix, Int8Rows, Library, library, multiply, rounded


class Int8Linear(nn.Linear):
    """A frozen matrix that multiplies in 8 bits, unless a gradient must pass through it.

    The weight stays there for gradients, so the matrix takes three bytes per number, not two.
    """

    matrix: Int8Matrix
    by: Library

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  (torch's own name)
        """Return the product."""
        if input.requires_grad and torch.is_grad_enabled():
            return super().forward(input)
        rows = rounded(input.to(torch.bfloat16).flatten(0, -2), self.by)
        return self.multiply(rows).unflatten(0, input.shape[:-1])

    def multiply(self, rows: Int8Rows, *, gelu: bool = False) -> Float[Tensor, "N O"]:
        """Return the product of rows that are rounded already, or GELU of it."""
        return multiply(rows, self.matrix, self.by, gelu=gelu)


def round_once(
    matrices: Sequence[nn.Module], rows: Float[Tensor, "N I"]
) -> Float[Tensor, "N I"] | Int8Rows:
    """Return bf16 rows in 8 bits if all matrices multiply these; else the rows as they are."""
    if rows.requires_grad and torch.is_grad_enabled():
        return rows
    if not all(type(matrix) is Int8Linear for matrix in matrices):
        return rows
    return rounded(rows, matrices[0].by)
