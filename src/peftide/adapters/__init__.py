"""Methods of adaptation, by name."""

from peftide.adapters.adapter import Adapter, AdapterOptions
from peftide.adapters.full import FULL
from peftide.adapters.head import HEAD
from peftide.adapters.lora import LORA

ADAPTERS: dict[str, Adapter] = {
    "head": HEAD,
    "lora": LORA,
    "full": FULL,
}

__all__ = ["ADAPTERS", "Adapter", "AdapterOptions"]
