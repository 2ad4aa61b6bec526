"""The cost of a training, as plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Plan:
    """The cost of a training on this machine.

    Attributes
    ----------
    request
        Task, method, backbone, rows, proteins, epochs.
    machine
        Device, precision, threads, token budget, memory and disk.
    parameters
        `trained` and `total`.
    seconds
        Piece of work → wall time; `per_epoch` and `total` are sums.
    cpu_seconds
        Piece of work → CPU time, which other work on the machine hardly changes.
    memory
        Piece of work → bytes in use; `peak` is the largest.
    disk
        Files → bytes; `peak` is the largest total at a time, `kept` the size after the training.
    fits
        Whether this machine has the peak memory and disk space.
    advice
        Option changes with which the training fits, if it does not fit now.
    notes
        Parts of the plan that were extrapolated or made up.
    """

    request: Mapping[str, Any]
    machine: Mapping[str, Any]
    parameters: Mapping[str, int]
    seconds: Mapping[str, float]
    cpu_seconds: Mapping[str, float]
    memory: Mapping[str, int]
    disk: Mapping[str, int]
    fits: bool
    advice: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    format_version: int = FORMAT_VERSION

    def as_json(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        return asdict(self)
