"""`--layer auto` takes the layer whose head scores best, and trains on the backbone cut there."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import peftide
from peftide.commands.train import train
from peftide.config import TrainConfig
from peftide.errors import InputError
from peftide.training import layers as module
from peftide.training.layers import settled_layer
from peftide.training.setting import Setting
from tests.conftest import small_config

QUICK: dict[str, Any] = {"epochs": 1, "precision": "fp32", "baselines": ("none",)}


@pytest.mark.parametrize("task", ["ppi", "residue"])
def test_every_layer_is_scored_and_the_best_is_cut_at(tmp_path: Path, task: str) -> None:
    config = small_config(tmp_path, task, "lora", layer="auto", **QUICK)
    result = train(config)
    found = result.record["layers"]
    scores = [entry["value"] for entry in found["scores"]]
    assert found["chosen"] == int(np.argmax(scores))
    assert found["chosen"] in found["plateau"]
    assert len(scores) == 2
    backbone = peftide.load(result.path).encoder.model.backbone
    assert backbone.layers == found["chosen"] + 1
    record = json.loads((result.path / "model" / "bundle.json").read_text())
    assert record["recipe"]["layer"] == found["chosen"]
    assert record["origin"]["settings"]["num_hidden_layers"] == found["chosen"] + 1
    assert not (result.path / "checkpoints").exists()


def test_the_score_of_a_layer_is_that_of_a_head_on_the_cut_backbone(tmp_path: Path) -> None:
    config = small_config(tmp_path, "regression", "head", layer="auto", **QUICK)
    entry = train(config).record["layers"]["scores"][0]
    alone = train(replace(config, layer=0, overwrite=True))
    assert alone.metrics["splits"]["validation"]["spearman"]["value"] == entry["value"]


def test_a_resumed_run_keeps_its_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = small_config(tmp_path, "regression", "lora", layer="auto", **QUICK)
    with monkeypatch.context() as patch:
        patch.setattr(Setting, "measure", lambda *_: pytest.fail("stop"))
        patch.setattr(module, "fit", lambda *_: None)
        with pytest.raises(pytest.fail.Exception):
            train(config)
    chosen = json.loads((config.out / "run.json").read_text())["decided"]["layer"]["chosen"]
    resumed = replace(config, resume=True)
    assert settled_layer(resumed).layer == chosen
    monkeypatch.setattr(module, "choose_layer", lambda *_, **__: pytest.fail("chosen again"))
    assert train(resumed).record["layers"]["chosen"] == chosen


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"layer": "auto", "pooling": "attention"}, "received auto with --pooling attention"),
        ({"layer": 7}, "--layer: received 7, but the backbone has the layers 0 to 1"),
        ({"layer": 0, "lora_layers": "1"}, "--lora-layers: received 1.*layers 0 to 0"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    config: TrainConfig = small_config(tmp_path, "regression", "lora", **QUICK, **changes)
    with pytest.raises(InputError, match=said):
        train(config)
    assert not (config.out / "run.json").exists()


def test_a_large_training_set_is_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_EXAMPLES", 10)
    sizes = []
    fit = module.fit

    def note(model: Any, fitting: Any) -> Any:
        sizes.append(len(fitting.part.trained_examples()))
        return fit(model, fitting)

    monkeypatch.setattr(module, "fit", note)
    train(small_config(tmp_path, "regression", "head", layer="auto", **QUICK))
    assert sizes == [10, 10]
