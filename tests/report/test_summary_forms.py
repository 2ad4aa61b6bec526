"""Damaged summaries are refused with the key; sound ones are read by the reports' own tests."""

import json
from pathlib import Path
from typing import Any

import pytest

from peftide.errors import InputError
from peftide.report.comparison import write_comparison
from peftide.report.sweep import write_sweep
from tests.report.test_comparison import BOARD
from tests.report.test_sweep import SWEEP


def without(content: Any, *keys: str | int) -> Any:
    """Return a copy of some JSON without the value at a place."""
    copy = json.loads(json.dumps(content))
    inner = copy
    for key in keys[:-1]:
        inner = inner[key]
    del inner[keys[-1]]
    return copy


@pytest.mark.parametrize("keys", [("rows",), ("chosen",), ("rows", 0, "status")])
def test_a_damaged_comparison_names_the_key(tmp_path: Path, keys: tuple[str | int, ...]) -> None:
    (tmp_path / "comparison.json").write_text(json.dumps(without(BOARD, *keys)))
    with pytest.raises(InputError, match=rf"comparison\.json: .*{keys[-1]} is missing"):
        write_comparison(tmp_path)


def test_a_trained_model_without_costs_is_damage(tmp_path: Path) -> None:
    row = next(k for k, row in enumerate(BOARD["rows"]) if row["status"] == "trained")
    content = without(BOARD, "rows", row, "seconds")
    (tmp_path / "comparison.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"rows\.{row}: .*seconds, as every trained model has"):
        write_comparison(tmp_path)


@pytest.mark.parametrize(
    "keys", [("trials",), ("best", "values"), ("trials", 0, "score"), ("space",)]
)
def test_a_damaged_sweep_names_the_key(tmp_path: Path, keys: tuple[str | int, ...]) -> None:
    (tmp_path / "sweep.json").write_text(json.dumps(without(SWEEP, *keys)))
    with pytest.raises(InputError, match=rf"sweep\.json: .*{keys[-1]} is missing"):
        write_sweep(tmp_path)


def test_a_trial_without_an_option_is_damage(tmp_path: Path) -> None:
    option = next(iter(SWEEP["space"]))
    content = without(SWEEP, "trials", 1, option)
    (tmp_path / "sweep.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"trials\.1 and space differ: {option}"):
        write_sweep(tmp_path)
