"""Matrix products in half precision on a CPU whose units multiply only fp32.

There, torch multiplies bf16 numbers one by one, at about a tenth of the speed of fp32. Here the
rounded numbers are widened to fp32, multiplied, and the result is rounded, as native bf16 units do.
Each matrix is widened only while it multiplies, so memory holds it in half precision.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from peftide.hardware import native_half


class WideProduct(torch.autograd.Function):
    """`functional.linear` of half-precision numbers, multiplied and summed in fp32."""

    @staticmethod
    def forward(ctx: Any, *tensors: Any) -> Float[Tensor, "*B O"]:
        """Return the rounded product of inputs (*B, I) and weight (O, I), plus a bias or None."""
        inputs, weight, bias = tensors
        # as torch does: a frozen matrix needs no inputs for its gradient
        ctx.save_for_backward(inputs if ctx.needs_input_grad[1] else None, weight)
        ctx.dtype = inputs.dtype
        with torch.autocast("cpu", enabled=False):
            wide_bias = None if bias is None else bias.float()
            return functional.linear(inputs.float(), weight.float(), wide_bias).to(inputs.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of inputs, weight and bias that are needed."""
        inputs, weight = ctx.saved_tensors
        of_inputs, of_weight, of_bias = ctx.needs_input_grad
        with torch.autocast("cpu", enabled=False):
            gradient = gradients[0].float()
            rows = gradient.flatten(0, -2)
            return (
                (gradient @ weight.float()).to(ctx.dtype) if of_inputs else None,
                (rows.T @ inputs.float().flatten(0, -2)).to(ctx.dtype) if of_weight else None,
                rows.sum(dim=0).to(ctx.dtype) if of_bias else None,
            )


class WideLinear(nn.Linear):
    """A matrix that multiplies as above under autocast on a CPU, and as any other elsewhere."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  (torch's own name)
        """Return the product."""
        if input.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
            return nn.Linear.forward(self, input)
        dtype = torch.get_autocast_dtype("cpu")
        bias = None if self.bias is None else self.bias.to(dtype)
        product = WideProduct.apply(input.to(dtype), self.weight.to(dtype), bias)
        assert isinstance(product, Tensor)
        return product


def use_wide_products(model: nn.Module) -> None:
    """Let the matrices of a model multiply in fp32 if this CPU has no units for bf16."""
    if native_half(torch.device("cpu"), torch.bfloat16):
        return
    for module in model.modules():
        if type(module) is nn.Linear:
            module.__class__ = WideLinear
