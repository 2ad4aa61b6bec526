"""A model in; its trained parameters out, to list, copy and restore."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def trained_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return the trained parameters by name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def copy_trained(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of all trained parameters, on the CPU."""
    return {
        name: parameter.detach().cpu().clone()
        for name, parameter in trained_parameters(model).items()
    }


def restore_trained(model: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Restore copied values."""
    with torch.no_grad():
        for name, parameter in trained_parameters(model).items():
            parameter.copy_(values[name])
