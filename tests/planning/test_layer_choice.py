"""The time to choose a layer: an epoch of one head, and one comparison, times their numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from peftide.planning import layer_choice
from peftide.planning.layer_choice import choice_seconds
from peftide.planning.measuring import measure_training
from peftide.run_folder import RunFolder
from peftide.training.usage import Seconds
from tests.planning.conftest import Begin


def test_one_epoch_of_one_head_stands_for_all(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []

    def clocked(work: Callable[[], Any], _device: torch.device) -> tuple[Any, Seconds]:
        found.append(work())
        return found[-1], Seconds(1.0, 2.0)

    monkeypatch.setattr(layer_choice, "clocked", clocked)
    setting, _ = begin("regression", "head", layer="auto", epochs=7)
    seconds = choice_seconds(setting, RunFolder(tmp_path / "scratch"), layers=6)
    assert seconds == Seconds(7 * 6 + 3, 2 * (7 * 6 + 3))
    answers, choice = found
    assert len(answers) == len(setting.problem.targets["validation"].values)
    assert np.isfinite(answers).all()
    assert [entry["layer"] for entry in choice["scores"]] == [0, 1]


@pytest.mark.parametrize("method", ["head", "lora"])
def test_a_plan_counts_the_choice(begin: Begin, tmp_path: Path, method: str) -> None:
    pieces = {}
    for layer in ("last", "auto"):
        setting, stands = begin("regression", method, baselines=("none",), layer=layer)
        folder = RunFolder(tmp_path / f"scratch-{layer}")
        pieces[layer] = measure_training(setting, stands, folder, store=tmp_path).seconds
    assert pieces["auto"].keys() - pieces["last"].keys() == {"choosing a layer"}
    assert pieces["auto"]["choosing a layer"].cpu > 0
