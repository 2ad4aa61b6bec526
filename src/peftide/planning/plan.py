"""What a training will need, as plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Plan:
    """What a training will need on this machine.

    Attributes
    ----------
    request
        Task, method, backbone, rows, proteins, epochs.
    machine
        Device, precision, threads, token budget, memory and disk.
    parameters
        `trained` and `total`.
    seconds
        Piece of work → seconds on the clock; `per_epoch` and `total` are sums.
    cpu_seconds
        The same by the processor's clock, which other work on the machine does not change.
    memory
        Piece of work → bytes while it is done; `peak` is the largest.
    disk
        What is written → bytes; `peak` is what is there at a time, `kept` what stays.
    fits
        Whether peak memory and disk are there.
    advice
        What would fit, if it does not; what would be faster.
    notes
        What was measured, and what was extrapolated.
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
