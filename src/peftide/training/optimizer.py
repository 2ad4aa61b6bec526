"""AdamW with separate rates and decay for adapter and head; warm-up, then a cosine."""

import math

from torch import nn
from torch.optim import AdamW

from peftide.config import TrainConfig
from peftide.model import ProteinModel
from peftide.parameters import trained_parameters

FUSED = {"cpu", "cuda"}
"""Devices where one kernel updates a tensor and its moments: on a CPU a third of the time."""


def build_optimizer(model: ProteinModel, config: TrainConfig, *, learning_rate: float) -> AdamW:
    """Return AdamW over four groups: (backbone or adapter, head) × (decayed, not decayed).

    Weight decay skips biases and norms (one axis), and all vectors of the backbone, even if they
    are stored with more axes.
    """
    settings = {
        True: (learning_rate, config.weight_decay),
        False: (config.head_learning_rate, config.head_weight_decay),
    }
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in trained_parameters(model).items():
        in_backbone = name.startswith("backbone.")
        axes = parameter.squeeze().ndim if in_backbone else parameter.ndim
        groups.setdefault((in_backbone, axes > 1), []).append(parameter)
    devices = {parameter.device.type for group in groups.values() for parameter in group}
    return AdamW(
        (
            {
                "params": parameters,
                "lr": settings[in_backbone][0],
                "weight_decay": settings[in_backbone][1] if decayed else 0.0,
            }
            for (in_backbone, decayed), parameters in sorted(groups.items())
        ),
        fused=devices <= FUSED,
    )


def rate_factor(step: int, *, steps: int, warmup_fraction: float) -> float:
    """Return the share of the peak rate at a step (from 0): linear warm-up, then a cosine to zero.

    Examples
    --------
    >>> [round(rate_factor(s, steps=6, warmup_fraction=0.3), 3) for s in range(6)]
    [0.5, 1.0, 1.0, 0.854, 0.5, 0.146]
    """
    warmup_steps = math.ceil(warmup_fraction * steps)
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    remaining = (step - warmup_steps) / max(1, steps - warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, remaining)))
