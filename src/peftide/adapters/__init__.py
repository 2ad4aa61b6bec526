"""Adaptation methods, by name. Names are known without torch; a method is loaded on demand."""

from typing import TYPE_CHECKING

from peftide.adapters.on_demand import OnDemand
from peftide.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from peftide.adapters.adapter import Adapter

ADAPTERS: "OnDemand[Adapter]" = OnDemand(
    {
        "head": "head.HEAD",
        "lora": "lora.LORA",
        "rslora": "lora.RSLORA",
        "lora_fa": "lora_fa.LORA_FA",
        "dora": "lora.DORA",
        "pissa": "pissa.PISSA",
        "adalora": "adalora.ADALORA",
        "vera": "vera.VERA",
        "ia3": "ia3.IA3",
        "bias": "delta.BIAS",
        "layer_norm": "delta.LAYER_NORM",
        "last_k": "delta.LAST_K",
        "full": "full.FULL",
    }
)
"""Name of a method → its `Adapter`, given as module and name in this folder."""


def check_method(name: str) -> None:
    """Raise if there is no method of this name.

    Raises
    ------
    InputError
        Suggests a name.
    """
    if name not in ADAPTERS:
        raise InputError(f"received {name!r}", where="--method", fix=did_you_mean(name, ADAPTERS))


__all__ = ["ADAPTERS", "check_method"]
