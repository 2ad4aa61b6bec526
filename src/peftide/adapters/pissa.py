"""PiSSA (Meng et al. 2024, arXiv 2404.02948): LoRA from the largest singular directions.

::

    W = (W − s·B₀A₀) + s·B₀A₀      B₀A₀: the r largest singular directions of W, and s = α/r

The first term is frozen, the second trains. W stays unchanged: a second, frozen adapter holds −B₀
and A₀. The saved adapter is plain LoRA of rank 2r, [B, −B₀] and [A; A₀], so that it works with the
unchanged backbone.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from peftide.adapters.lora import LORA, apply_lora
from peftide.adapters.peft_form import ADAPTER_NAME, put_on, quietly
from peftide.backbones import Backbone
from peftide.config import MethodOptions
from peftide.errors import InputError

START = "start"


def apply_pissa(backbone: Backbone, options: MethodOptions) -> None:
    """Add adapters with the largest singular directions of the named matrices; only they train.

    Raises
    ------
    InputError
        If the rank is larger than the matrices, or the targets do not exist.
    """
    if options.lora_r > backbone.width:
        raise InputError(
            f"received {options.lora_r}",
            expected=f"at most {backbone.width} for pissa: the matrices have no more directions",
            where="--lora-r",
        )
    apply_lora(backbone, options)
    config = replace(backbone.model.peft_config[ADAPTER_NAME], lora_dropout=0.0)
    with quietly():
        backbone.model.add_adapter(START, config)
    backbone.model.base_model.set_adapter([ADAPTER_NAME, START])
    for layer in lora_layers(backbone).values():
        _begin(layer)


def lora_layers(backbone: Backbone) -> dict[str, Any]:
    """Return the adapted modules, by name."""
    from peft.tuners.lora import LoraLayer

    modules = backbone.model.named_modules()
    return {name: module for name, module in modules if isinstance(module, LoraLayer)}


@torch.no_grad()
def _begin(layer: Any) -> None:
    """Set both adapters of a module to its largest singular directions; freeze the second."""
    a, b = principal(layer.get_base_layer().weight, layer.r[START], layer.scaling[START])
    for name, sign in ((ADAPTER_NAME, 1), (START, -1)):
        layer.lora_A[name].weight.copy_(a)
        layer.lora_B[name].weight.copy_(sign * b)
    layer.lora_A[START].requires_grad_(False)
    layer.lora_B[START].requires_grad_(False)


def principal(weight: Tensor, rank: int, scaling: float) -> tuple[Tensor, Tensor]:
    """Return A₀ and B₀ such that scaling · B₀A₀ is the best approximation of this rank.

    Examples
    --------
    >>> a, b = principal(torch.diag(torch.tensor([1.0, 9.0])), 1, 2.0)
    >>> (2 * b @ a).abs().round(decimals=4).tolist()
    [[0.0, 0.0], [0.0, 9.0]]
    """
    left, values, right = torch.linalg.svd(weight.float(), full_matrices=False)
    roots = (values[:rank] / scaling).sqrt()
    return roots[:, None] * right[:rank], left[:, :rank] * roots


def finish_pissa(backbone: Backbone) -> None:
    """Turn both adapters into one plain LoRA of twice the rank."""
    matrices = [
        (
            torch.cat([layer.lora_A[name].weight for name in (ADAPTER_NAME, START)]),
            torch.cat([layer.lora_B[name].weight for name in (ADAPTER_NAME, START)], dim=1),
        )
        for layer in lora_layers(backbone).values()
    ]
    config = backbone.model.peft_config[ADAPTER_NAME]
    backbone.model = backbone.model.unload()
    twice = {"r": 2 * config.r, "lora_alpha": 2 * config.lora_alpha}
    put_on(backbone, replace(config, **twice, base_model_name_or_path=None))
    with torch.no_grad():
        for layer, (a, b) in zip(lora_layers(backbone).values(), matrices, strict=True):
            layer.lora_A[ADAPTER_NAME].weight.copy_(a)
            layer.lora_B[ADAPTER_NAME].weight.copy_(b)


PISSA = replace(
    LORA,
    summary="LoRA that starts from the largest singular directions of each matrix",
    apply=apply_pissa,
    takes_quantised=False,
    finish=finish_pissa,
)
