"""Heads trained together are those of runs with these seeds; their mean is the answer."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import peftide
from peftide.commands.train import train
from peftide.config import TrainConfig
from peftide.errors import InputError
from peftide.heads import Ensemble
from peftide.training.loop import TrainingRun
from tests.conftest import random_sequences, small_config

QUICK: dict[str, Any] = {"epochs": 2, "precision": "fp32", "baselines": ("none",)}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    return small_config(tmp_path_factory.mktemp("seeds"), "regression", "head", **QUICK)


@pytest.fixture(scope="module")
def together(config: TrainConfig) -> Any:
    return train(replace(config, seeds=2, seed=4))


def members(path: Path) -> list[torch.nn.Module]:
    head = peftide.load(path, precision="fp32").encoder.model.head
    assert isinstance(head, Ensemble)
    return list(head.members)


def alone(config: TrainConfig, seed: int, form: str = "") -> TrainConfig:
    return replace(config, seed=seed, seeds=1, out=config.out.parent / f"alone-{form}{seed}")


def parameters(path: Path) -> list[torch.Tensor]:
    return [*peftide.load(path, precision="fp32").encoder.model.head.parameters()]


@pytest.mark.parametrize(
    ("task", "changes"),
    [
        ("regression", {}),
        ("ppi", {"head": "dot"}),
        ("ppi", {"sampler": "blocks", "blocks": 3}),
        ("residue", {}),
    ],
)
def test_each_head_is_that_of_a_run_with_its_seed(
    tmp_path: Path, task: str, changes: dict[str, Any]
) -> None:
    """Residues and blocks give each head a batch of another size."""
    config = small_config(tmp_path, task, "head", seed=4, seeds=3, **QUICK, **changes)
    train(config)
    for seed, head in zip((4, 5, 6), members(config.out), strict=True):
        expected = parameters(train(alone(config, seed)).path)
        for found, wanted in zip(head.parameters(), expected, strict=True):
            torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)


def test_heads_of_two_forms_are_those_of_both_runs(tmp_path: Path) -> None:
    config = small_config(tmp_path, "ppi", "head", head="mlp,dot", seed=4, seeds=2, **QUICK)
    run = train(config)
    runs = [(head, seed) for head in ("mlp", "dot") for seed in (4, 5)]
    for (form, seed), head in zip(runs, members(config.out), strict=True):
        expected = parameters(train(alone(replace(config, head=form), seed, form)).path)
        for found, wanted in zip(head.parameters(), expected, strict=True):
            torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    assert (run.record["seeds"]["heads"], run.record["seeds"]["seeds"]) == (
        ["mlp", "mlp", "dot", "dot"],
        [4, 5, 4, 5],
    )
    history = pd.read_csv(run.path / "history.csv")
    assert set(zip(history["head"], history["seed"], strict=True)) == set(runs)
    assert (run.path / "report.html").is_file()


def test_one_head_of_each_form_is_an_ensemble_too(tmp_path: Path) -> None:
    config = small_config(tmp_path, "ppi", "head", head="mlp,dot", layer="auto", **QUICK)
    assert len(train(config).record["seeds"]["parts"]["test"]["each"]) == 2
    assert len(members(config.out)) == 2


def test_each_head_stops_by_its_own_scores(config: TrainConfig) -> None:
    """With this rate the best epochs of three heads differ, and so do their last ones."""
    many = replace(config, epochs=9, patience=1, head_learning_rate=0.02, seeds=3)
    found = pd.read_csv(train(replace(many, out=config.out.parent / "many")).path / "history.csv")
    lasts = []
    for seed in (0, 1, 2):
        path = train(replace(alone(many, seed), out=config.out.parent / f"stops-{seed}")).path
        expected = pd.read_csv(path / "history.csv")
        mine = found[found["seed"] == seed].reset_index(drop=True)
        lasts.append(len(expected))
        np.testing.assert_array_equal(mine["step"], expected["step"])
        for column in ("train_loss", "spearman"):
            np.testing.assert_allclose(mine[column], expected[column], atol=1e-5)
    assert len(set(lasts)) > 1


def test_an_interrupted_training_of_heads_goes_on(
    config: TrainConfig, together: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interruption comes between the steps of both heads, so one is a step ahead."""
    taken: list[int] = []
    take = TrainingRun.take

    def interrupted(run: TrainingRun, loss: float, batch: Any) -> None:
        if len(taken) == 3:
            raise KeyboardInterrupt
        taken.append(run.fitting.config.seed)
        take(run, loss, batch)

    begun = replace(config, seeds=2, seed=4, out=config.out.parent / "interrupted")
    with monkeypatch.context() as patch:
        patch.setattr(TrainingRun, "take", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(begun)
    assert taken == [4, 5, 4]
    resumed = train(replace(begun, resume=True))
    pairs = zip(parameters(resumed.path), parameters(together.path), strict=True)
    for found, expected in pairs:
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_the_prediction_is_the_mean_of_the_heads(together: Any) -> None:
    sequences = random_sequences(5, seed=8)
    predictor = peftide.load(together.path, precision="fp32")
    mean = predictor.predict(sequences)["prediction"]
    alone = []
    for head in members(together.path):
        predictor.encoder.model.head = head
        alone.append(predictor.predict(sequences)["prediction"])
    np.testing.assert_allclose(mean, np.mean(alone, axis=0), atol=1e-5)


def test_the_spread_of_the_heads_is_recorded(together: Any) -> None:
    seeds = together.record["seeds"]
    assert (seeds["seeds"], seeds["metric"]) == ([4, 5], "spearman")
    test = seeds["parts"]["test"]
    assert test["mean"] == pytest.approx(np.mean(test["each"]))
    assert test["deviation"] == pytest.approx(np.std(test["each"], ddof=1))
    assert test["together"] == pytest.approx(
        together.metrics["splits"]["test"]["spearman"]["value"]
    )
    history = pd.read_csv(together.path / "history.csv")
    assert sorted(set(history["seed"])) == [4, 5]


@pytest.mark.parametrize(("method", "pooling"), [("lora", "mean"), ("head", "attention")])
def test_only_frozen_vectors_take_two_forms(tmp_path: Path, method: str, pooling: str) -> None:
    with pytest.raises(InputError, match=r"--head: received mlp,dot with --method"):
        train(small_config(tmp_path, "ppi", method, pooling=pooling, head="mlp,dot", **QUICK))


@pytest.mark.parametrize(
    ("method", "pooling"), [("lora", "mean"), ("full", "mean"), ("head", "attention")]
)
def test_only_frozen_vectors_take_several_heads(tmp_path: Path, method: str, pooling: str) -> None:
    with pytest.raises(InputError, match=r"--seeds: --method .* does not read it"):
        train(small_config(tmp_path, "regression", method, pooling=pooling, seeds=2, **QUICK))
