"""How often each protein's tokens go through the layers, counted in whole commands."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peftide.adapters import ADAPTERS
from peftide.backbones import TransformerBackbone
from peftide.commands.evaluate import evaluate
from peftide.commands.predict import predict
from peftide.config import EvaluateConfig, PredictConfig
from peftide.hardware import choose_hardware
from peftide.packing import PackedBatch
from peftide.run_folder import RunFolder
from peftide.tasks.detecting import find_task
from peftide.training.fitting import build_fitting
from peftide.training.loop import begin
from peftide.training.setting import build_setting, prepare
from tests.conftest import random_sequences, small_config, write_rows

BLOCKS = 3


class Passes:
    """Counts how often each protein goes through the frozen and through the tuned layers.

    A whole model counts as both; a graph tells a training's second pass from its first.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.frozen, self.tuned, self.graph = Counter[Any](), Counter[Any](), Counter[Any]()
        hidden_states, forward = TransformerBackbone.hidden_states, TransformerBackbone.forward

        def below(backbone: TransformerBackbone, batch: PackedBatch, layers: int) -> Any:
            self.frozen.update(proteins_of(batch))
            return hidden_states(backbone, batch, layers)

        def above(backbone: TransformerBackbone, batch: PackedBatch) -> Any:
            rows = forward(backbone, batch)
            kinds = [self.graph if rows.requires_grad else self.tuned]
            kinds += [self.frozen] if batch.hidden is None else []
            for kind in kinds:
                kind.update(proteins_of(batch))
            return rows

        patch.setattr(TransformerBackbone, "hidden_states", below)
        patch.setattr(TransformerBackbone, "forward", above)

    def clear(self) -> None:
        for kind in (self.frozen, self.tuned, self.graph):
            kind.clear()


def proteins_of(batch: PackedBatch) -> list[tuple[int, ...]]:
    return [tuple(ids.tolist()) for ids in batch.input_ids.split(batch.lengths)]


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Passes:
    return Passes(monkeypatch)


def all_pairs(folder: Path, proteins: int) -> Path:
    """Write every pair among some proteins, so that each takes part in many."""
    texts = random_sequences(proteins, seed=9)
    rows = [(a, b, (i + j) % 2) for i, a in enumerate(texts) for j, b in enumerate(texts[i:])]
    return write_rows(folder / "pairs.csv", "sequence_a sequence_b label", rows)


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_answers_encode_every_protein_once(
    trained: Any, passes: Passes, tmp_path: Path, command: str
) -> None:
    run, table = trained("ppi", "lora"), all_pairs(tmp_path, 9)
    passes.clear()  # the run may have been trained just now
    if command == "predict":
        predict(PredictConfig(run=run, input=table, out=tmp_path / "scores.tsv"))
    else:
        evaluate(EvaluateConfig(run=run, input=table, out=tmp_path / "scored"))
    assert list(passes.frozen.values()) == [1] * 9
    assert list(passes.tuned.values()) == [1] * 9
    assert not passes.graph


def test_an_epoch_of_blocks_encodes_every_protein_once(passes: Passes, tmp_path: Path) -> None:
    config = small_config(
        tmp_path,
        "ppi",
        "lora",
        sampler="blocks",
        blocks=BLOCKS,
        lora_layers="1",
        max_tokens=30,
        train=all_pairs(tmp_path, 12),
    )
    folder = RunFolder(tmp_path / "run")
    problem, backbone = prepare(config, find_task("ppi"))
    setting = build_setting(
        config, problem, backbone, hardware=choose_hardware(config), folder=folder
    )
    fitting = build_fitting(setting, ADAPTERS["lora"], folder)
    assert setting.encoder.trunk is not None
    assert set(passes.frozen.values()) == {1}  # once and for all, whatever comes

    passes.clear()
    run = begin(setting.model, replace(fitting, validate=lambda: {"average_precision": 0.5}))
    run.train_epoch()
    assert run.state.step == BLOCKS
    assert len(passes.graph) == 12
    assert set(passes.graph.values()) == {1}  # of 12 × 13 / 2 pairs that hold each 13 times
    assert passes.tuned == passes.graph  # the vectors before training

    run.end_epoch()
    run.train_epoch()
    assert set(passes.graph.values()) == {2}
    assert set(passes.tuned.values()) == {1}
    assert not passes.frozen

    passes.clear()
    fitting.validate()
    validation = len(np.unique(problem.dataset.parts["validation"].members))
    assert list(passes.tuned.values()) == [1] * validation
    assert not passes.frozen
    assert not passes.graph
