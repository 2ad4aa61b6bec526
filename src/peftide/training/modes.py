"""Trained modules are in training mode; frozen modules stay in evaluation mode."""

import sys
from typing import Any

from torch import nn


def set_training_mode(model: nn.Module) -> None:
    """Turn on dropout only in modules with trained weights."""
    adapted = _loaded("peft.tuners.tuners_utils", "BaseTunerLayer")
    recomputed = _loaded("transformers.modeling_layers", "GradientCheckpointingLayer")
    model.eval()
    modules: list[Any] = list(model.modules())
    for module in modules:
        parameters = list(module.parameters())
        if isinstance(module, adapted):
            module.train()
            module.get_base_layer().eval()
        elif parameters and all(parameter.requires_grad for parameter in parameters):
            module.train()
        elif isinstance(module, recomputed):
            # sets only this module's flag, which controls recomputation, not dropout
            module.training = True


def _loaded(module: str, name: str) -> type | tuple[()]:
    """Return a class of a library, or nothing if the library is not loaded.

    Without the library no object can be of the class. Importing `peft` takes seconds, and a frozen
    backbone does not need it.
    """
    library = sys.modules.get(module)
    return getattr(library, name) if library else ()
