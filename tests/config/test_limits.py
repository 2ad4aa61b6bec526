import math
from dataclasses import dataclass

import pytest

from peftide.config.limits import RANGES, out_of_range

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
    steps: int
    hours: float | None
    rate: float


def test_all_options_out_of_range_are_named_and_missing_ones_left_out() -> None:
    limits = {"1 or more": ("steps",), "a number above 0": ("hours", "rate")}
    assert out_of_range(Options(0, None, -1.0), limits) == [
        ("steps", 0, "1 or more"),
        ("rate", -1.0, "a number above 0"),
    ]
    assert out_of_range(Options(1, 0.5, 1.0), limits) == []
