"""LoRA (Hu et al. 2022, arXiv 2106.09685) and a variant that differs by one setting, by `peft`.

::

    x ──────────── W (frozen) ────────────┐
      └─ dropout ─ A (r×D) ─ B (D×r) ─ ·α/r ─┴─ +        B starts at 0: nothing changes at first

rsLoRA (Kalajdzievski 2023, arXiv 2312.03732) multiplies by α/√r.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from peftide.adapters.adapter import Adapter
from peftide.adapters.peft_form import load_adapter, put_on, save_adapter
from peftide.adapters.targets import module_names
from peftide.backbones import Backbone
from peftide.config import MethodOptions


def apply_lora(backbone: Backbone, options: MethodOptions, **settings: Any) -> None:
    """Add low-rank updates to the named attention matrices; only the updates train.

    Parameters
    ----------
    settings
        Further fields of peft's `LoraConfig`.

    Raises
    ------
    InputError
        If the rank is not positive or the targets do not exist.
    """
    from peft import LoraConfig

    config = LoraConfig(
        r=options.lora_r,
        lora_alpha=options.lora_alpha,
        lora_dropout=options.lora_dropout,
        target_modules=module_names(
            backbone, targets=options.lora_targets, layers=options.lora_layers
        ),
        bias="none",
        **settings,
    )
    put_on(backbone, config)


LORA = Adapter(
    summary="low-rank updates of attention matrices",
    apply=apply_lora,
    save=save_adapter,
    load=load_adapter,
    learning_rate=1e-3,
)
RSLORA = replace(
    LORA,
    summary="LoRA whose updates are scaled by alpha / √rank",
    apply=partial(apply_lora, use_rslora=True),
)
