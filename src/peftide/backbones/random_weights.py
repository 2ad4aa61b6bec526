"""`random:`: an architecture → random weights, drawn layer by layer.

The memory never holds more than one layer in fp32 if the matrices are wanted in half precision.
Each module has its own seed, so a backbone that ends after a layer has the weights of the
whole one.
"""

import zlib
from typing import Any

import torch
from torch import Tensor, nn

from peftide.backbones.half import halved_names
from peftide.backbones.weights import named_sha256


@torch.no_grad()
def draw_weights(model: Any, *, layer_prefix: str, dtype: torch.dtype) -> str:
    """Give a model random weights; return their hash in fp32.

    Parameters
    ----------
    model
        A model of `transformers` on the meta device.
    layer_prefix
        Module path of the list of layers.
    dtype
        Number type of the matrices in the layers; all else is in fp32.
    """
    halved = halved_names(model, layer_prefix)
    layers = model.get_submodule(layer_prefix)
    around, drawn = _around(model, layers), set[str]()

    def exact(name: str) -> Tensor:
        inside, rest = f"{layer_prefix}.", name.partition(f"{layer_prefix}.")[2]
        part = rest.partition(".")[0] if name.startswith(inside) else ""
        if part not in drawn:
            drawn.add(part)
            inner = [name for name, _ in layers[int(part)].named_modules()] if part else []
            _draw(model, [f"{inside}{part}.{name}".rstrip(".") for name in inner] or around)
            model.tie_weights()
        owner, _, kind = name.rpartition(".")
        found = getattr(model.get_submodule(owner), kind)
        wide = found.detach()
        if name in halved:
            found.data = wide.to(dtype)
        return wide

    return named_sha256((name, exact(name)) for name in sorted(model.state_dict()))


def _around(model: nn.Module, layers: nn.Module) -> list[str]:
    """Return the names of the modules that lie in no layer."""
    ours = {*layers.modules()}
    return [name for name, module in model.named_modules() if module not in ours]


def _draw(model: Any, names: list[str]) -> None:
    """Draw the weights of modules; modules inside others come first, as in `transformers`."""
    modules = {name: model.get_submodule(name) for name in names}
    for module in modules.values():
        module.to_empty(device="cpu", recurse=False)
    with torch.random.fork_rng(devices=[]):
        for name in reversed(names):
            torch.manual_seed(zlib.crc32(name.encode()))
            model._init_weights(modules[name])
