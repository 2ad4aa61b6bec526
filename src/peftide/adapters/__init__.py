"""Adaptation methods, by name."""

from peftide.adapters.adalora import ADALORA
from peftide.adapters.adapter import Adapter, Steering
from peftide.adapters.delta import BIAS, LAST_K, LAYER_NORM
from peftide.adapters.full import FULL
from peftide.adapters.head import HEAD
from peftide.adapters.ia3 import IA3
from peftide.adapters.lora import DORA, LORA, RSLORA
from peftide.adapters.lora_fa import LORA_FA
from peftide.adapters.pissa import PISSA
from peftide.adapters.vera import VERA

ADAPTERS: dict[str, Adapter] = {
    "head": HEAD,
    "lora": LORA,
    "rslora": RSLORA,
    "lora_fa": LORA_FA,
    "dora": DORA,
    "pissa": PISSA,
    "adalora": ADALORA,
    "vera": VERA,
    "ia3": IA3,
    "bias": BIAS,
    "layer_norm": LAYER_NORM,
    "last_k": LAST_K,
    "full": FULL,
}

__all__ = ["ADAPTERS", "Adapter", "Steering"]
