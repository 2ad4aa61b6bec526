"""A model cut at a layer: what comes below the lowest trained layer never changes in a training.

::

    tokens ─> embeddings ─> layer 0 … layer k-1 ──┬──> layer k … ─> residue embeddings
              frozen: the same in every step      └ hidden states, computed once
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jaxtyping import Float
from peft import PeftModel
from torch import Tensor, nn

from peftide.parameters import trained_parameters


def frozen_layers(model: nn.Module, layer_prefix: str) -> int:
    """Return how many layers lie below everything that trains: 0 if nothing does.

    Read from the parameters themselves. One that trains outside the layers is taken to act
    before them (embeddings, prompts), which is always safe.

    Parameters
    ----------
    layer_prefix
        Module path of the list of layers.
    """
    inside = f"{layer_prefix}."
    lowest = len(_list_of_layers(model, layer_prefix))
    for name in trained_parameters(model):
        _, found, rest = name.partition(inside)
        lowest = min(lowest, int(rest.partition(".")[0]) if found else 0)
    return lowest


@contextmanager
def only_layers(model: nn.Module, layer_prefix: str, layers: slice) -> Iterator[nn.ModuleList]:
    """Let a model have some of its layers only, for as long as the context lasts."""
    parent_name, _, name = layer_prefix.rpartition(".")
    parent, every = _base(model).get_submodule(parent_name), _list_of_layers(model, layer_prefix)
    chosen = every[layers]
    setattr(parent, name, chosen)
    try:
        yield chosen
    finally:
        setattr(parent, name, every)


@contextmanager
def entering(layer: nn.Module, hidden: Float[Tensor, "1 N D"]) -> Iterator[None]:
    """Give a layer these hidden states, whatever it is called with."""
    hook = layer.register_forward_pre_hook(lambda _layer, inputs: (hidden, *inputs[1:]))
    try:
        yield
    finally:
        hook.remove()


@contextmanager
def leaving(layer: nn.Module) -> Iterator[list[Float[Tensor, "1 N D"]]]:
    """Collect the hidden states that a layer gives."""
    found: list[Tensor] = []

    def collect(_layer: nn.Module, _inputs: Any, output: Any) -> None:
        found.append(output[0] if isinstance(output, tuple) else output)

    hook = layer.register_forward_hook(collect)
    try:
        yield found
    finally:
        hook.remove()


def _list_of_layers(model: nn.Module, layer_prefix: str) -> nn.ModuleList:
    layers = _base(model).get_submodule(layer_prefix)
    assert isinstance(layers, nn.ModuleList)
    return layers


def _base(model: nn.Module) -> nn.Module:
    return model.get_base_model() if isinstance(model, PeftModel) else model
