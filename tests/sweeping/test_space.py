from pathlib import Path
from typing import Any

import pytest

from peftide.errors import InputError
from peftide.sweeping.space import Choices, Range, as_text, option_values, read_space, space_of


def test_a_file_gives_lists_and_ranges(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(
        "method: [head, lora]\n"
        "lora_targets: [[query], [key, value]]\n"
        "lora-r: [1, 8]\n"
        "learning_rate: {low: 1e-5, high: 1e-2, log: true}\n"
        "epochs: {low: 1, high: 9}\n"
    )
    space = read_space(path)
    assert space["lora_targets"] == Choices("lora_targets", ("query", "key,value"))
    assert space["lora_r"] == Choices("lora_r", (1, 8))
    assert space["learning_rate"] == Range("learning_rate", 1e-5, 1e-2, log=True)
    assert space["epochs"] == Range("epochs", 1, 9, whole=True)
    assert as_text(space) == as_text(dict(reversed(list(space.items()))))


def test_words_become_values_of_options() -> None:
    found = option_values({"lora_targets": "key,value", "max_length": None, "blocks": 4})
    assert found == {"lora_targets": ("key", "value"), "max_length": None, "blocks": 4}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "empty"),
        ({"lora_rr": [1]}, "lora_r"),
        ({"qqqq": [1]}, "Some of "),
        ({"out": ["a", "b"]}, "same in every trial"),
        ({"lora_r": []}, "list of values"),
        ({"lora_r": 8}, "list of values"),
        ({"lora_r": ["8", "8"]}, "twice"),
        ({"lora_r": ["many"]}, "whole number"),
        ({"lora_r": [0]}, "1 or more"),
        ({"learning_rate": {"low": "1"}}, "low, high"),
        ({"learning_rate": {"low": "2", "high": "1"}}, "low < high"),
        ({"learning_rate": {"low": "-1", "high": "1", "log": True}}, "above 0"),
        ({"method": {"low": "head", "high": "lora"}}, "list"),
        ({"epochs": {"low": "0", "high": "3"}}, "1 or more"),
    ],
)
def test_a_wrong_space_is_refused_with_the_option(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        space_of(values)
    assert all(name in str(caught.value) for name in values)


def test_all_mistakes_come_together() -> None:
    with pytest.raises(InputError, match=r"(?s)lora_rr.*epochs"):
        space_of({"lora_rr": ["1"], "epochs": ["x"]})
