import math
from dataclasses import dataclass, fields

import pytest

from peftide import config
from peftide.config.limits import RANGES, check_device, out_of_range
from peftide.config.options import option
from peftide.errors import InputError

CASES = [
    ("1 or more", [1, 1.5, 9], [0, 0.9]),
    ("0 or more", [0, 3.5], [-0.1]),
    ("a number above 0", [1e-9, 7], [0, -1]),
    ("above 0, below 1", [0.5], [0, 1]),
    ("0 or more, below 1", [0, 0.99], [-0.1, 1]),
    ("from 0 to 1", [0, 1], [-0.1, 1.1]),
    ("0 or more, below 2,147,483,648", [0, 2**31 - 1], [-1, 2**31]),
]


@pytest.mark.parametrize(("expected", "inside", "outside"), CASES)
def test_ranges_hold_what_they_say(
    expected: str, inside: list[float], outside: list[float]
) -> None:
    is_fine = RANGES[expected]
    assert all(is_fine(value) for value in inside)
    assert not any(is_fine(value) for value in [*outside, math.inf, math.nan])


def test_every_range_is_tested_by_name() -> None:
    assert {expected for expected, *_ in CASES} == RANGES.keys()


@dataclass
class Options:
    steps: int = option(1, doc="", limit="1 or more")
    hours: float | None = option(None, doc="", limit="a number above 0")
    rate: float | str = option(1.0, doc="", limit="a number above 0")
    free: int = option(0, doc="")


def test_all_options_out_of_range_are_named_and_missing_ones_left_out() -> None:
    values = {"steps": 0, "hours": None, "rate": -1.0, "free": -9}
    assert out_of_range(Options, values) == [
        ("steps", 0, "1 or more"),
        ("rate", -1.0, "a number above 0"),
    ]
    assert out_of_range(Options, {"steps": 1, "hours": 0.5, "rate": "auto"}) == []


def test_every_limit_is_a_known_range() -> None:
    classes = [found for found in vars(config).values() if isinstance(found, type)]
    limits = {item.metadata["limit"] for found in classes for item in fields(found)}
    assert limits - {""} == RANGES.keys()


def test_a_device_is_a_known_word():
    for name in ("auto", "cpu", "cuda:1", "mps"):
        check_device(name)
    for name in ("gpu", "cuda:one", ""):
        with pytest.raises(InputError, match="--device"):
            check_device(name)
