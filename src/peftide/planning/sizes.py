"""The sizes of the parts of a training → the memory that each piece of work needs."""

from collections.abc import Mapping
from dataclasses import dataclass

COPIES = 3
"""Copies of the trained parameters: two moments of the optimizer, and the best weights."""


@dataclass(frozen=True)
class Sizes:
    """Bytes of the parts of a training.

    Fields, in order: libraries, data and model; one copy of the trained parameters; activations of
    a step and of encoding; encoded rows in memory; stored output of frozen layers, and the space
    for this output.
    """

    held: float
    trained: float
    graph: float
    forward: float
    rows: float
    stored: float
    room: float

    @property
    def is_kept(self) -> bool:
        """Whether frozen layers run only once instead of in every step."""
        return 0 < self.stored <= self.room


def memory_of(sizes: Sizes, extra: Mapping[str, float]) -> dict[str, float]:
    """Return the memory in use during each piece of work."""
    encoding = sizes.held + sizes.forward + sizes.rows
    state = COPIES * sizes.trained
    return {
        "held throughout": sizes.held,
        "encoding": encoding,
        "training": sizes.held + state + sizes.graph,
        "validation": encoding + state + extra["validation"],
        "scoring": encoding + extra["scoring"],
        "saving": sizes.held + extra["saving"],
    }
