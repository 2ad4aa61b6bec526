from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from peftide.commands import demo as workflow
from peftide.commands.train import train
from peftide.config import DemoConfig
from peftide.errors import InputError
from peftide.simulate import ProteomeSizes, simulate_proteome, write_proteome
from tests.conftest import TINY

SMALL = ProteomeSizes(train=32, validation=16, test=16, new=16, partners=2)
SMALLER = ProteomeSizes(train=320, validation=80, test=80, new=16)


def test_every_method_is_trained_on_both_tasks_and_new_pairs_are_predicted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "simulate_proteome", lambda seed: simulate_proteome(seed, SMALL))
    monkeypatch.setattr(workflow, "DEMO_BACKBONE", TINY)
    result = workflow.demo(DemoConfig(out=tmp_path / "demo", threads=1))
    trained = set(zip(result.table["task"], result.table["method"], strict=True))
    assert trained == {
        (task, method) for task in ("ppi", "symmetry") for method in workflow.METHODS
    }
    written = pd.read_csv(tmp_path / "demo" / "table.tsv", sep="\t")
    assert written["test"].tolist() == pytest.approx(result.table["test"].tolist())
    assert (tmp_path / "demo" / "runs" / "ppi_lora" / "model" / "bundle.json").is_file()
    table = result.table.to_dict("records")
    scores = {row["method"]: row["validation"] for row in table if row["task"] == "ppi"}
    assert scores[result.best] == max(scores.values())
    assert all(row["best_baseline_test"] >= row["composition"] for row in table)
    best = tmp_path / "demo" / "runs" / f"ppi_{result.best}"
    assert f"method: {result.best}\n" in (best / "config.yaml").read_text()
    truth = {(p.id_a, p.id_b): p.label for p in simulate_proteome(0, SMALL).pairs_of("new")}
    rows = result.new_pairs.to_dict("records")
    assert {(row["id_a"], row["id_b"]): row["truth"] for row in rows} == truth


def test_a_folder_that_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(InputError, match="not written by `peftide demo`"):
        workflow.demo(DemoConfig(out=tmp_path, overwrite=True))
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_the_head_finds_the_planted_interactions(tmp_path: Path) -> None:
    write_proteome(simulate_proteome(0, SMALLER), tmp_path)
    config = workflow.training(DemoConfig(out=tmp_path), "ppi", "head", data=tmp_path)
    result = train(replace(config, baselines=("none",), threads=1))
    assert result.metrics["splits"]["test"]["average_precision"]["value"] > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_planted_signals_are_found(tmp_path: Path, seed: int) -> None:
    result = workflow.demo(DemoConfig(out=tmp_path / "demo", seed=seed))
    for row in result.table.to_dict("records"):
        assert row["test"] > row["composition"] + 0.2
        assert row["task"] == "symmetry" or row["test"] > 0.97
    pairs = result.new_pairs
    assert (pairs["prediction"].to_numpy() == pairs["truth"].to_numpy()).mean() > 0.9
