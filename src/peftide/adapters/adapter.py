"""One way to adapt a backbone: what trains, and how it is stored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from torch import Tensor

from peftide.backbones import Backbone
from peftide.config import MethodOptions


@runtime_checkable
class Steering(Protocol):
    """What a method does at every optimizer step, beside the step itself."""

    def penalty(self) -> Tensor:
        """Return the method's own term of the loss, with its graph."""
        ...

    def after_step(self, step: int) -> None:
        """Change weights after optimizer step `step` (from 0); gradients are still there."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Return what a resumed training needs."""
        ...

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `state` returned."""
        ...


def as_it_is(_backbone: Backbone) -> None:
    """Leave the trained backbone as it is."""


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
    reads
        Options of `TrainConfig` that the method reads and others do not.
    finish
        After training: bring the backbone into the form that is scored and saved.
    takes_quantised
        Whether the backbone's matrices may be held in 8 or 4 bits: nothing of its own trains, and
        `peft` can take the adapter off them again.
    steer
        Backbone, number of optimizer steps → what the method does at each of them.
    """

    summary: str
    apply: Callable[[Backbone, MethodOptions], None]
    save: Callable[[Backbone, Path], None]
    load: Callable[[Backbone, Path], None]
    learning_rate: float
    reads: frozenset[str] = frozenset()
    takes_quantised: bool = True
    finish: Callable[[Backbone], None] = as_it_is
    steer: Callable[[Backbone, int], Steering] | None = None
