"""Adaptation methods, by name. Names are known without torch; a method is loaded on demand."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from peftide.errors import InputError, did_you_mean
from peftide.on_demand import OnDemand

if TYPE_CHECKING:
    from peftide.adapters.adapter import Adapter

ADAPTERS: "OnDemand[Adapter]" = OnDemand(
    {
        "head": "head.HEAD",
        "lora": "lora.LORA",
        "rslora": "lora.RSLORA",
        "lora_fa": "lora_fa.LORA_FA",
        "dora": "dora.DORA",
        "pissa": "pissa.PISSA",
        "adalora": "adalora.ADALORA",
        "vera": "vera.VERA",
        "ia3": "ia3.IA3",
        "bias": "delta.BIAS",
        "layer_norm": "delta.LAYER_NORM",
        "last_k": "delta.LAST_K",
        "full": "full.FULL",
    },
    package=__name__,
)
"""Name of a method → its `Adapter`, given as module and name in this folder."""
LAYERS = frozenset({"lora_layers"})
LORA = LAYERS | {"lora_r", "lora_alpha", "lora_dropout", "lora_targets"}
READS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("lora", "rslora", "lora_fa", "dora", "pissa", "adalora"), LORA),
    "vera": LAYERS | {"lora_dropout", "lora_targets"},
    **dict.fromkeys(("ia3", "bias", "layer_norm", "last_k"), LAYERS),
}
"""Name of a method → options of `MethodOptions` that it reads; other methods read none. They are
here and not in the `Adapter`, so that unread options are refused without torch."""
ADAPTER_FOLDER = "adapter"
"""Folder of an adapter in `peft` form inside a model folder."""


def check_method(name: str) -> None:
    """Raise if there is no method of this name.

    Raises
    ------
    InputError
        Suggests a name.
    """
    if name not in ADAPTERS:
        raise InputError(f"received {name!r}", where="--method", fix=did_you_mean(name, ADAPTERS))


__all__ = ["ADAPTERS", "ADAPTER_FOLDER", "READS", "check_method"]
