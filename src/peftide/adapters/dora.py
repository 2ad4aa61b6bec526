"""DoRA (Liu et al. 2024, arXiv 2402.09353), by `peft`.

LoRA that trains the length of each row of W + BA separately from its direction.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn, no_grad

from peftide.adapters.lora import LORA, apply_lora
from peftide.adapters.peft_form import load_adapter
from peftide.backbones import Backbone
from peftide.config import MethodOptions


def apply_dora(backbone: Backbone, options: MethodOptions) -> None:
    """Add low-rank updates and row lengths to the named attention matrices; only they train.

    Raises
    ------
    InputError
        If the rank is not positive or the targets do not exist.
    """
    apply_lora(backbone, options, use_dora=True)
    measure_rows_once(backbone)


def load_dora(backbone: Backbone, folder: Path) -> None:
    """Add a saved adapter to a backbone; it replaces an existing one.

    Raises
    ------
    InputError
        If the file lacks a tensor of the adapter, or would import a module.
    """
    load_adapter(backbone, folder)
    measure_rows_once(backbone)


def measure_rows_once(backbone: Backbone) -> None:
    """Let a recurrent network measure the rows once per pass.

    peft measures them in every product, which are hundreds per pass: one for each time step. If
    activations are computed again, the rows stay in memory until the next pass.
    """
    if not backbone.is_recurrent:
        return
    network = backbone.model.get_base_model()
    for layer in dora_layers(network):
        layer.get_lora_weight = Remembered(layer.get_lora_weight)
        layer.get_weight_norm = Remembered(layer.get_weight_norm)
    network.register_forward_pre_hook(forget_rows)
    network.register_forward_hook(forget_rows)


def dora_layers(network: nn.Module) -> Iterator[Any]:
    """Yield the modules in which peft measures the rows."""
    from peft.tuners.lora.dora import DoraLinearLayer

    yield from (module for module in network.modules() if isinstance(module, DoraLinearLayer))


def forget_rows(network: nn.Module, *_: object) -> None:
    """Forget what a pass measured: the weights may change before the next one."""
    for layer in dora_layers(network):
        layer.get_lora_weight.forget()
        layer.get_weight_norm.forget()


class Remembered:
    """A function that computes its tensor once, without gradient, and then returns it again."""

    def __init__(self, compute: Any) -> None:
        self.compute, self.found = compute, None

    def __call__(self, *args: Any, **options: Any) -> Tensor:
        """Return the remembered tensor, whatever the arguments."""
        found = self.found
        if found is None:
            with no_grad():
                found = self.found = self.compute(*args, **options)
        return found

    def forget(self) -> None:
        """Compute the tensor again at the next call."""
        self.found = None


DORA = replace(
    LORA,
    summary="LoRA that trains the length of a matrix's rows apart from their direction",
    apply=apply_dora,
    load=load_dora,
    takes_quantised=False,  # peft computes the row lengths from the unquantised matrix
)
