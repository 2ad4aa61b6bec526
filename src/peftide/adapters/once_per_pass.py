"""Adapters of `peft` on a recurrent network: what does not depend on the inputs, once per pass.

`peft` computes it in every product, and a recurrent network has hundreds of them in a pass: one for
each time step and matrix. If activations are computed again, the found tensors stay in memory until
the next pass.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from peftide.backbones import Backbone
from peftide.backbones.half import ADAPTED


def compute_once_per_pass(backbone: Backbone) -> None:
    """Let a recurrent network round frozen matrices, and measure the rows of DoRA, once per pass.

    Call it on a backbone that has just got an adapter.
    """
    if not backbone.is_recurrent:
        return
    network = backbone.model.get_base_model()
    for layer in dora_layers(network):
        layer.forward = DoraProduct(layer)
    for matrix in frozen_matrices(network):
        matrix.forward = RoundedProduct(matrix)
    network.register_forward_pre_hook(forget_all)
    network.register_forward_hook(forget_all)


def dora_layers(network: nn.Module) -> Iterator[Any]:
    """Yield the modules in which peft measures the rows."""
    from peft.tuners.lora.dora import DoraLinearLayer

    yield from (module for module in network.modules() if isinstance(module, DoraLinearLayer))


def frozen_matrices(network: nn.Module) -> Iterator[Any]:
    """Yield the matrices below adapters that autocast would round in every product."""
    for name, module in network.named_modules():
        if not (name.endswith(ADAPTED) and type(module) is nn.Linear):
            continue
        if module.weight.dtype == torch.float32 and not module.weight.requires_grad:
            yield module


def forget_all(network: nn.Module, *_: object) -> None:
    """Forget what a pass computed: the weights may change before the next one."""
    for module in network.modules():
        product = vars(module).get("forward")
        if isinstance(product, DoraProduct | RoundedProduct):
            product.remembered.forget()


class Remembered:
    """A function that computes its tensor once, without gradient, and then returns it again."""

    def __init__(self, compute: Any) -> None:
        self.compute, self.found = compute, None

    def __call__(self, *args: Any, **options: Any) -> Tensor:
        """Return the remembered tensor, whatever the arguments."""
        found = self.found
        if found is None:
            with torch.no_grad():
                found = self.found = self.compute(*args, **options)
        return found

    def forget(self) -> None:
        """Compute the tensor again at the next call."""
        self.found = None


class RoundedProduct:
    """The product with a frozen matrix, whose weight is rounded once under autocast."""

    def __init__(self, matrix: nn.Linear) -> None:
        self.matrix, self.remembered = matrix, Remembered(self.round)

    def round(self, dtype: torch.dtype) -> Tensor:
        """Return the weight in a type."""
        return self.matrix.weight.to(dtype)

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return the product in the type of the context."""
        weight, bias = self.matrix.weight, self.matrix.bias
        device = weight.device.type
        if torch.is_autocast_enabled(device) and not weight.requires_grad:
            weight = self.remembered(torch.get_autocast_dtype(device))
        return functional.linear(inputs, weight, bias)


class DoraProduct:
    """What DoRA adds to the product with a matrix, by rows that are measured once.

    The arguments and the formula are those of peft's `DoraLinearLayer.forward`.
    """

    def __init__(self, layer: Any) -> None:
        self.layer, self.remembered = layer, Remembered(self.measure)

    def measure(
        self, matrix: nn.Linear, *, down: nn.Linear, up: nn.Linear, scaling: float
    ) -> Tensor:
        """Return the length of each row of W + BA, in fp32."""
        with torch.autocast(matrix.weight.device.type, enabled=False):
            return matrix.weight.addmm(up.weight, down.weight, alpha=scaling).norm(dim=1)

    def __call__(
        self,
        inputs: Tensor,
        *,
        lora_A: nn.Linear,  # noqa: N803
        lora_B: nn.Linear,  # noqa: N803
        scaling: float,
        base_layer: nn.Linear,
        base_result: Tensor | None = None,
        **_name: str,
    ) -> Tensor:
        """Return the difference to the product with the matrix alone.

        With dropout there is no `base_result`: these inputs are others.
        """
        product = base_layer(inputs) if base_result is None else base_result
        if base_layer.bias is not None:
            product = product - base_layer.bias
        lengths = self.remembered(base_layer, down=lora_A, up=lora_B, scaling=scaling)
        share = self.layer.weight / lengths
        return (share - 1) * product + share * lora_B(lora_A(inputs)) * scaling
