"""LoRA-FA (Zhang et al. 2023, arXiv 2308.03303): LoRA whose A is random and stays frozen.

Half of the parameters train. Each adapted matrix stores only the product of its input with A, not
the input.
"""

from dataclasses import replace

from peftide.adapters.lora import LORA, apply_lora
from peftide.backbones import Backbone
from peftide.config import MethodOptions


def apply_lora_fa(backbone: Backbone, options: MethodOptions) -> None:
    """Add low-rank updates to the named attention matrices; only B trains.

    Raises
    ------
    InputError
        If the targets do not exist.
    """
    apply_lora(backbone, options)
    for name, parameter in backbone.model.named_parameters():
        if "lora_A" in name:
            parameter.requires_grad_(False)


LORA_FA = replace(
    LORA,
    summary="LoRA whose first matrix is random and stays frozen",
    apply=apply_lora_fa,
)
