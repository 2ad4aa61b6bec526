"""(IA)³ (Liu et al. 2022, arXiv 2205.05638), by `peft`: one factor per channel.

Keys, values and the input of the last feed-forward matrix are multiplied by vectors that start
at 1.
"""

from dataclasses import replace

from peftide.adapters.lora import LORA
from peftide.adapters.peft_form import put_on
from peftide.adapters.targets import feedforward_outputs, module_names
from peftide.backbones import Backbone
from peftide.config import MethodOptions


def apply_ia3(backbone: Backbone, options: MethodOptions) -> None:
    """Put factors on keys, values and feed-forward channels; only these train.

    Raises
    ------
    InputError
        If the layers do not exist, or have no feed-forward block that peftide knows.
    """
    from peft import IA3Config

    feedforward = feedforward_outputs(backbone, layers=options.lora_layers)
    attention = module_names(backbone, targets=("key", "value"), layers=options.lora_layers)
    put_on(
        backbone,
        IA3Config(target_modules=attention + feedforward, feedforward_modules=feedforward),
    )


IA3 = replace(
    LORA,
    summary="factors on keys, values and feed-forward channels",
    apply=apply_ia3,
    learning_rate=1e-2,
    takes_quantised=False,  # peft cannot remove it again
)
