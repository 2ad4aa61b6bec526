"""VeRA (Kopiczko et al. 2024, arXiv 2310.11454), by `peft`: random matrices, trained scales.

One random pair A, B serves all adapted matrices and stays frozen; each has two vectors of its own
that scale B·A on both sides. The one on the left starts at 0.
"""

from dataclasses import replace

from peftide.adapters.lora import LORA
from peftide.adapters.peft_form import put_on
from peftide.adapters.targets import module_names
from peftide.backbones import Backbone
from peftide.config import MethodOptions

RANK = 256
"""Of the random matrices: a rank trains one number per matrix, so it can be high."""


def apply_vera(backbone: Backbone, options: MethodOptions) -> None:
    """Put scaled random updates beside the named attention matrices; only the scales train.

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
    reads=frozenset({"lora_dropout", "lora_targets", "lora_layers"}),
)
