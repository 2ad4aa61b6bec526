"""An adaptation method: the weights that train, and their storage."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from torch import Tensor

from peftide.backbones import Backbone
from peftide.config import MethodOptions


@runtime_checkable
class Steering(Protocol):
    """Hooks that a method runs around every optimizer step."""

    def penalty(self) -> Tensor:
        """Return the loss term of the method, with its graph."""
        ...

    def after_step(self, step: int) -> None:
        """Change weights after optimizer step `step` (from 0); gradients are still available."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Return the tensors that a resumed training needs."""
        ...

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore tensors that `state` returned."""
        ...


def as_it_is(_backbone: Backbone) -> None:
    """Leave the trained backbone unchanged."""


@dataclass(frozen=True)
class Adapter:
    """An adaptation method, as a value in `ADAPTERS`.

    Attributes
    ----------
    summary
        One line for the documentation.
    apply
        Makes weights of the frozen backbone trainable, or adds trainable weights.
    save, load
        Write and read the changed weights, as a file or folder inside a model folder.
    learning_rate
        Default peak learning rate.
    finish
        After training: converts the backbone into the form that is scored and saved.
    takes_quantised
        Whether the matrices of the backbone may be loaded in half precision, 8 or 4 bits. This
        requires that no backbone weight trains and that `peft` can remove the adapter from them.
    steer
        Backbone, number of optimizer steps → hooks that the method runs at each step.
    """

    summary: str
    apply: Callable[[Backbone, MethodOptions], None]
    save: Callable[[Backbone, Path], None]
    load: Callable[[Backbone, Path], None]
    learning_rate: float
    takes_quantised: bool = True
    finish: Callable[[Backbone], None] = as_it_is
    steer: Callable[[Backbone, int], Steering] | None = None
