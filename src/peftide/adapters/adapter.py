"""One way to adapt a backbone: what trains, and how it is stored."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from peftide.backbones import Backbone


@dataclass(frozen=True)
class AdapterOptions:
    """What a method may ask of the user; each reads only the options it has.

    Attributes
    ----------
    lora_r, lora_alpha, lora_dropout
        Rank, scale and input dropout of LoRA.
    targets
        Which of query, key, value, output.
    layers
        all, last_quarter, last:K, or 0-based layers such as 3,4,5.
    """

    lora_r: int = 8
    lora_alpha: int = 16
    lora_dropout: float = 0.05
    targets: tuple[str, ...] = ("key", "value")
    layers: str = "last_quarter"


@dataclass(frozen=True)
class Adapter:
    """One method, as one value in `ADAPTERS`.

    Attributes
    ----------
    summary
        One line for the documentation.
    apply
        Make trainable what the method trains; the backbone arrives frozen.
    save, load
        Write and read what the method changed, as a file or folder inside a model folder.
    learning_rate
        Peak learning rate when the user names none.
    """

    summary: str
    apply: Callable[[Backbone, AdapterOptions], None]
    save: Callable[[Backbone, Path], None]
    load: Callable[[Backbone, Path], None]
    learning_rate: float
