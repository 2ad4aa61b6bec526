"""Methods that train some weights of the backbone; only the changed tensors are saved."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from peftide.adapters.adapter import Adapter
from peftide.adapters.targets import layer_paths
from peftide.backbones import Backbone
from peftide.config import MethodOptions
from peftide.errors import InputError
from peftide.parameters import trained_parameters

DELTA_FILE = "delta.safetensors"


def apply_bias(backbone: Backbone, options: MethodOptions) -> None:
    """Unfreeze the biases of the named layers (BitFit, Ben Zaken et al. 2022, arXiv 2106.10199).

    Raises
    ------
    InputError
        If the layers do not exist, or have no biases.
    """
    paths = layer_paths(backbone, layers=options.lora_layers)
    names = {name for name, _ in backbone.model.named_parameters() if name.endswith(".bias")}
    _unfreeze(backbone, {name for name in names if name.startswith(paths)}, what="biases")


def apply_layer_norm(backbone: Backbone, options: MethodOptions) -> None:
    """Unfreeze scale and shift of the layer norms inside the named layers.

    Raises
    ------
    InputError
        If the layers do not exist, or have no layer norms.
    """
    paths = layer_paths(backbone, layers=options.lora_layers)
    names = {
        f"{name}.{kind}"
        for name, module in backbone.model.named_modules()
        if name.startswith(paths) and type(module).__name__.lower().endswith("norm")
        for kind, _ in module.named_parameters()
    }
    _unfreeze(backbone, names, what="layer norms")


def apply_last_k(backbone: Backbone, options: MethodOptions) -> None:
    """Unfreeze all weights of the named layers.

    Raises
    ------
    InputError
        If the layers do not exist.
    """
    paths = layer_paths(backbone, layers=options.lora_layers)
    names = {name for name, _ in backbone.model.named_parameters() if name.startswith(paths)}
    _unfreeze(backbone, names, what="weights")


def _unfreeze(backbone: Backbone, names: set[str], *, what: str) -> None:
    if not names:
        raise InputError(
            f"the layers of {backbone.origin.name} have no {what}",
            where="--method",
            fix="Choose another method, such as lora",
        )
    for name, parameter in backbone.model.named_parameters():
        parameter.requires_grad_(name in names)


def save_delta(backbone: Backbone, folder: Path) -> None:
    """Write the trained tensors under their names in the backbone."""
    tensors = trained_parameters(backbone.model)
    save_file({name: t.detach().contiguous() for name, t in tensors.items()}, folder / DELTA_FILE)


def load_delta(backbone: Backbone, folder: Path) -> None:
    """Replace tensors of the backbone with the saved ones."""
    parameters = dict(backbone.model.named_parameters())
    with torch.no_grad():
        for name, tensor in load_file(folder / DELTA_FILE).items():
            parameters[name].copy_(tensor)


BIAS = Adapter(
    summary="the biases of chosen layers",
    apply=apply_bias,
    save=save_delta,
    load=load_delta,
    learning_rate=1e-3,
    takes_quantised=False,
)
LAYER_NORM = Adapter(
    summary="scale and shift of the layer norms of chosen layers",
    apply=apply_layer_norm,
    save=save_delta,
    load=load_delta,
    learning_rate=1e-3,
    takes_quantised=False,
)
LAST_K = Adapter(
    summary="chosen layers whole",
    apply=apply_last_k,
    save=save_delta,
    load=load_delta,
    learning_rate=3e-4,
    takes_quantised=False,
)
