"""VeRA (Kopiczko et al. 2024, arXiv 2310.11454), by `peft`: random matrices, trained scales.

All adapted matrices share one frozen random pair A, B. Each matrix has two trained vectors that
scale B·A on both sides. The left vector starts at 0.
"""

from dataclasses import replace

from peftide.adapters.lora import LORA
from peftide.adapters.peft_form import put_on
from peftide.adapters.targets import module_names
from peftide.backbones import Backbone
from peftide.config import MethodOptions

RANK = 256
"""Rank of the random matrices; each rank adds one trained number per matrix, so it can be high."""


def apply_vera(backbone: Backbone, options: MethodOptions) -> None:
    """Add scaled random updates to the named attention matrices; only the scales train.

    Raises
    ------
    InputError
        If the targets do not exist.
    """
    from peft import VeraConfig

    config = VeraConfig(
        r=RANK,
        vera_dropout=options.lora_dropout,
        target_modules=module_names(
            backbone, targets=options.lora_targets, layers=options.lora_layers
        ),
        save_projection=True,  # random numbers may differ on another machine
    )
    put_on(backbone, config)


VERA = replace(
    LORA,
    summary="trained scales around random low-rank matrices that all layers share",
    apply=apply_vera,
    learning_rate=3e-2,
)
