"""A matrix that multiplies at every time step, and trains.

Autograd would compute the gradient of the matrix at each time step and add them up, each one
rounded. Here the backward pass collects the inputs and gradients of a segment, and multiplies once.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional


class StepProduct:
    """Products with a matrix without bias, in the type of the context.

    Parameters
    ----------
    matrix
        The module that multiplies. Unless its own weight trains, it does so as always.
    """

    def __init__(self, matrix: nn.Module) -> None:
        self.matrix = matrix
        self.weight: Tensor | None = None
        if not isinstance(matrix, nn.Linear) or not torch.is_grad_enabled():
            return
        device = matrix.weight.device.type
        rounds = torch.is_autocast_enabled(device)
        if matrix.weight.requires_grad and (type(matrix) is nn.Linear or not rounds):
            dtype = torch.get_autocast_dtype(device) if rounds else matrix.weight.dtype
            self.weight = matrix.weight.detach().to(dtype)

    def begin(self) -> Callable[[Tensor], Tensor]:
        """Return the product for the time steps of one segment."""
        if self.weight is None:
            return self.matrix
        weight, segment = self.weight, _Segment()
        start = _Start.apply(self.matrix.weight, segment)

        def product(inputs: Tensor) -> Tensor:
            found = _Step.apply(inputs.to(weight.dtype), start, weight, segment)
            assert isinstance(found, Tensor)
            return found

        return product


class _Segment:
    """Inputs and gradients of the time steps that the backward pass has left behind."""

    def __init__(self) -> None:
        self.steps: dict[int, tuple[Tensor, Tensor]] = {}

    def add(self, step: int, inputs: Tensor, gradient: Tensor) -> None:
        """Keep a step, without the graph behind it: that would keep itself alive."""
        self.steps[step] = (inputs.detach(), gradient)

    def of_matrix(self) -> Float[Tensor, "O I"]:
        """Return the gradient of the matrix, and let go of the steps."""
        inputs, gradients = zip(*self.steps.values(), strict=True)
        self.steps = {}
        return torch.cat(gradients).T @ torch.cat(inputs)


class _Start(torch.autograd.Function):
    """A number that all steps read, so that the backward pass reaches the matrix after them."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, segment: _Segment) -> Tensor:
        ctx.segment, ctx.dtype = segment, weight.dtype
        return weight.new_zeros(())

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *_: Tensor
    ) -> tuple[Tensor, None]:
        return ctx.segment.of_matrix().to(ctx.dtype), None


class _Step(torch.autograd.Function):
    """The product at one time step."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        inputs, start, weight, segment = given
        ctx.save_for_backward(inputs)
        ctx.zero, ctx.weight, ctx.segment = torch.zeros_like(start), weight, segment
        return functional.linear(inputs, weight)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor, Tensor, None, None]:
        (inputs,) = ctx.saved_tensors
        ctx.segment.add(id(ctx), inputs, gradients[0])
        return gradients[0] @ ctx.weight, ctx.zero, None, None
