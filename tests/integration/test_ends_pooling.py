"""A signal near the start of each sequence: hidden by the mean, seen by `--pooling ends`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from peftide import load
from peftide.commands.embed import embed
from peftide.commands.train import train
from peftide.config import EmbedConfig, TrainConfig
from tests.conftest import TINY, random_sequences

PARTS = {"train": 160, "validation": 30, "test": 60}


def rows() -> Iterator[tuple[str, int, str]]:
    """Yield sequences with a hydrophobic stretch near the start (1) or in the middle (0)."""
    generator = np.random.default_rng(0)
    sequences = iter(random_sequences(sum(PARTS.values()), lengths=(80, 90), seed=7))
    for part, count in PARTS.items():
        for number in range(count):
            label, sequence = number % 2, next(sequences)
            start = int(generator.integers(2, 5) if label else generator.integers(40, 50))
            stretch = "".join(generator.choice([*"LAVIL"], 8))
            yield sequence[:start] + stretch + sequence[start + 8 :], label, part


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a finished run for each pooling."""
    folder = tmp_path_factory.mktemp("ends")
    table = pd.DataFrame(rows(), columns=["sequence", "label", "split"])
    found = {}
    for pooling in ("mean", "ends"):
        config = TrainConfig(
            task="binary",
            data=table,
            backbone=TINY,
            method="head",
            pooling=pooling,
            epochs=8,
            threads=1,
            device="cpu",
            precision="fp32",
            baselines=("ends",) if pooling == "mean" else ("none",),
            out=folder / pooling,
        )
        found[pooling] = train(config).path
    return found


def average_precision(run: Path) -> float:
    metrics = json.loads((run / "metrics.json").read_text())
    return metrics["splits"]["test"]["average_precision"]["value"]


def test_the_head_sees_the_signal_at_the_start(runs: dict[str, Path]) -> None:
    assert average_precision(runs["ends"]) > 0.9
    assert average_precision(runs["mean"]) < 0.7


def test_the_report_offers_the_pooling(runs: dict[str, Path]) -> None:
    said = "try <code>--pooling ends</code>"
    pages = {name: (run / "report.html").read_text() for name, run in runs.items()}
    assert said in pages["mean"]
    assert said not in pages["ends"]


def test_the_saved_model_answers_and_embeds_alike(runs: dict[str, Path], tmp_path: Path) -> None:
    """Five vectors side by side, from the loaded run and from `embed`."""
    predictor = load(runs["ends"], device="cpu", precision="fp32")
    sequences = random_sequences(3, lengths=(5, 50))
    vectors = predictor.embed(sequences)
    backbone = predictor.encoder.model.backbone
    assert vectors.shape == (3, 5 * backbone.width)
    assert predictor.embed([]).shape == (0, 5 * backbone.width)
    assert np.isfinite(predictor.predict(sequences)["probability"]).all()
    fasta = tmp_path / "s.fasta"
    fasta.write_text("".join(f">s{k}\n{text}\n" for k, text in enumerate(sequences)))
    options: dict[str, Any] = {"sequences": fasta, "device": "cpu", "precision": "fp32"}
    plain: dict[str, Any] = options | {"backbone": TINY, "pooling": "ends"}
    embed(EmbedConfig(**options, run=runs["ends"], out=tmp_path / "a.parquet"))
    embed(EmbedConfig(**plain, out=tmp_path / "b.parquet"))
    embed(EmbedConfig(**plain, layers="all", out=tmp_path / "c.h5"))
    with h5py.File(tmp_path / "c.h5") as layers:
        np.testing.assert_allclose(np.asarray(layers["s0"])[-1], vectors[0], atol=1e-5)
    for name in ("a", "b"):
        table = pd.read_parquet(tmp_path / f"{name}.parquet")
        np.testing.assert_allclose(table.iloc[:, 1:].to_numpy(), vectors, atol=1e-5)
