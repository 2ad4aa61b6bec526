"""The allowed ranges of numeric options, by their wording in messages."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from peftide.errors import InputError

DEVICE = re.compile(r"auto|(cpu|cuda|mps)(:\d+)?")
RANGES: dict[str, Callable[[float], bool]] = {
    "1 or more": lambda value: 1 <= value < math.inf,
    "0 or more": lambda value: 0 <= value < math.inf,
    "a number above 0": lambda value: 0 < value < math.inf,
    "above 0, below 1": lambda value: 0 < value < 1,
    "0 or more, below 1": lambda value: 0 <= value < 1,
    "from 0 to 1": lambda value: 0 <= value <= 1,
    "0 or more, below 2,147,483,648": lambda value: 0 <= value < 2**31,
}
"""Expected range → whether a number is in it; NaN never is."""


def out_of_range(config_class: type, values: Mapping[str, Any]) -> list[tuple[str, float, str]]:
    """Return option, value and expected range of each number outside its field's `limit`.

    Values that are not numbers (None, "auto") are skipped.

    Examples
    --------
    >>> from peftide.config import TrainConfig
    >>> out_of_range(TrainConfig, {"epochs": 0, "patience": 3})
    [('epochs', 0, '1 or more')]
    """
    limits: dict[str, str] = {
        item.name: item.metadata["limit"] for item in fields(config_class) if item.metadata["limit"]
    }
    return [
        (name, value, limits[name])
        for name, value in values.items()
        if name in limits and isinstance(value, (int, float)) and not RANGES[limits[name]](value)
    ]


def check_device(name: str) -> None:
    """Raise if the device has no valid name; only torch knows whether this machine has it.

    Raises
    ------
    InputError
        Names the devices.
    """
    if not DEVICE.fullmatch(name):
        raise InputError(
            f"received {name!r}", expected="auto, cpu, cuda, cuda:1, mps", where="--device"
        )
