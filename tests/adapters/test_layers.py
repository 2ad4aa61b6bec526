"""Layer options in all their forms."""

from collections.abc import Callable

import pytest

from peftide.adapters.layers import check_layers, layer_numbers
from peftide.errors import InputError


@pytest.mark.parametrize(
    ("text", "layers", "numbers"),
    [
        ("all", 3, [0, 1, 2]),
        ("last_quarter", 33, [24, 25, 26, 27, 28, 29, 30, 31, 32]),
        ("last_quarter", 12, [9, 10, 11]),
        ("last_quarter", 6, [4, 5]),
        ("last_quarter", 2, [1]),
        ("last_quarter", 1, [0]),
        ("last:1", 6, [5]),
        ("last:6", 6, [0, 1, 2, 3, 4, 5]),
        ("3", 6, [3]),
        ("5,0,3", 6, [0, 3, 5]),
        ("1, 2", 6, [1, 2]),
        ("2,2", 6, [2]),
    ],
)
def test_layers_by_option(text: str, layers: int, numbers: list[int]):
    assert layer_numbers(text, layers=layers) == numbers
    check_layers(text)


@pytest.mark.parametrize("text", ["6", "0,6", "-1", "last:7", "last:0", "last:-2", "last:2,3"])
def test_layers_that_are_not_there(text: str):
    with pytest.raises(InputError, match="the backbone has the layers 0 to 5") as caught:
        layer_numbers(text, layers=6)
    assert caught.value.received.startswith(f"received {text}")
    assert caught.value.where == "--lora-layers"


@pytest.mark.parametrize("text", ["", "first", "last", "last:", "last:two", "1,,2", "1.5", "0-3"])
@pytest.mark.parametrize("check", [check_layers, lambda text: layer_numbers(text, layers=6)])
def test_layers_of_no_known_form(text: str, check: Callable[[str], object]):
    with pytest.raises(InputError, match="expected all, last_quarter, last:K, or 0-based layers"):
        check(text)
