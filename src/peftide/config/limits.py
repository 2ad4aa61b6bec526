"""Which numbers an option may be, by the words in which a message says it."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

RANGES: dict[str, Callable[[float], bool]] = {
    "1 or more": lambda value: 1 <= value < math.inf,
    "0 or more": lambda value: 0 <= value < math.inf,
    "a number above 0": lambda value: 0 < value < math.inf,
    "above 0, below 1": lambda value: 0 < value < 1,
    "0 or more, below 1": lambda value: 0 <= value < 1,
    "from 0 to 1": lambda value: 0 <= value <= 1,
    "0 or more, below 2,147,483,648": lambda value: 0 <= value < 2**31,
}
"""Expected → whether a number is that; NaN never is."""


def out_of_range(config: Any, limits: Mapping[str, Sequence[str]]) -> list[tuple[str, float, str]]:
    """Return option, value and what was expected for each number that is out of its range.

    Parameters
    ----------
    limits
        Key of `RANGES` → options that must be so; an option that is None is left out.

    Examples
    --------
    >>> from pathlib import Path
    >>> from peftide.config import TrainConfig
    >>> config = TrainConfig(task="ppi", out=Path("run"), epochs=0)
    >>> out_of_range(config, {"1 or more": ["epochs", "patience"]})
    [('epochs', 0, '1 or more')]
    """
    values = [
        (name, getattr(config, name), expected)
        for expected, names in limits.items()
        for name in names
    ]
    return [
        (name, value, expected)
        for name, value, expected in values
        if value is not None and not RANGES[expected](value)
    ]
