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


def test_each_head_has_the_bits_of_a_run_with_its_seed(config: TrainConfig, together: Any) -> None:
    for seed, head in zip((4, 5), members(together.path), strict=True):
        alone = train(replace(config, seed=seed, out=config.out.parent / f"alone-{seed}"))
        expected = peftide.load(alone.path, precision="fp32").encoder.model.head.state_dict()
        found = head.state_dict()
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in expected)


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


@pytest.mark.parametrize(
    ("method", "pooling"), [("lora", "mean"), ("full", "mean"), ("head", "attention")]
)
def test_only_frozen_vectors_take_several_heads(tmp_path: Path, method: str, pooling: str) -> None:
    with pytest.raises(InputError, match=r"--seeds: --method .* does not read it"):
        train(small_config(tmp_path, "regression", method, pooling=pooling, seeds=2, **QUICK))
