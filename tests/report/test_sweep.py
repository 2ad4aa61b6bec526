import json
from pathlib import Path
from typing import Any

import pytest

from peftide.errors import InputError
from peftide.report.sweep import write_sweep
from tests.report.test_comparison import read


def trial(number: int, score: float | None, **values: Any) -> dict[str, Any]:
    state = "fail" if score is None else "complete"
    known = {"best_epoch": 1, "trained_parameters": 10, "seconds": 2.0}
    return {"trial": number, "state": state, "score": score, **known, **values}


SWEEP: dict[str, Any] = {
    "format_version": 1,
    "metric": "auroc",
    "best": {"trial": 1, "score": 0.7, "values": {"lora_r": 8}},
    "importance": {"lora_r": 0.8, "lora_targets": 0.2},
    "space": {
        **{"lora_r": [1, 8], "lora_targets": ["query", "key,<b>"]},
        "learning_rate": {"low": 1e-5, "high": 1e-2},
    },
    "trials": [
        trial(0, 0.6, lora_r=1, lora_targets="query", learning_rate=1e-3),
        trial(1, 0.7, lora_r=8, lora_targets="key,<b>", learning_rate=1e-4),
        trial(2, None, lora_r=8, lora_targets="query", learning_rate=1e-2),
    ],
}


def test_the_page_has_a_picture_per_option_and_every_trial(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text(json.dumps(SWEEP))
    (tmp_path / "run.json").write_text(json.dumps({"date": "2026-01-02T03:04:05+00:00"}))
    found = read(write_sweep(tmp_path))
    text = " ".join(found.text)
    assert found.tags.count("svg") == 3
    assert found.tags.count("circle") == 2 * 3  # the failed trial has no dot
    for said in ("0.700", "80%", "key,<b>", "fail"):
        assert said in text
    assert "b" not in found.tags


def test_a_folder_without_a_sweep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"sweep\.json"):
        write_sweep(tmp_path)
