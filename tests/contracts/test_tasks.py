"""What every task promises, over the table of tasks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from peftide.bundle import load_bundle
from peftide.commands.evaluate import evaluate
from peftide.commands.train import train
from peftide.config import EvaluateConfig
from peftide.outputs import read_record
from peftide.tasks import TASKS, Labels
from tests.conftest import header_of, labelled_rows, small_config, write_rows

Trained = Callable[[str, str], Path]


@pytest.mark.parametrize("name", TASKS)
def test_a_task_learns_eight_records_by_heart(tmp_path: Path, name: str) -> None:
    """Validation and test are the training records themselves."""
    table = write_rows(tmp_path / "eight.tsv", header_of(name), labelled_rows(name, "train", 8))
    result = train(
        small_config(
            tmp_path,
            name,
            "full",
            train=table,
            validation=table,
            test=(str(table), f"again={table}"),
            shared_proteins="allow",
            epochs=25,
            batch_size=2,
            learning_rate=1e-3,
            head_learning_rate=1e-2,
            head_dropout=0.0,
            head_width=128,
            max_grad_norm=100.0,
            patience=20,
        )
    )
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    start, end = history["train_loss"].iloc[0], history["train_loss"].iloc[-1]
    # proteins with two symmetry groups keep the entropy of a coin toss: ln 2 for 2 of 8 records
    floor = np.log(2) / 4 if name == "symmetry" else 0.0
    assert start > 0.3
    assert end - floor < 0.05
    scores = result.metrics["splits"]
    assert scores["test"][TASKS[name].outcome.headline]["value"] > 0.95
    assert scores["again"] == scores["test"]
    predictions = pd.read_csv(tmp_path / "run" / "predictions.tsv", sep="\t", dtype=str)
    assert set(predictions["split"]) == {"test", "again"}
    ids = {"pair": ["id_a", "id_b"], "sequence": ["id"], "residue": ["id", "position", "residue"]}
    assert [*predictions.columns][: len(ids[TASKS[name].level])] == ids[TASKS[name].level]
    assert {"label", "prediction"} <= {*predictions.columns}


def test_masked_residues_enter_neither_training_nor_scores(tmp_path: Path) -> None:
    """Behind the mask stands a class that is nowhere else."""
    tables = {}
    for part in ("train", "validation", "test"):
        rows = [
            (*row[:2], "z" + str(row[2])[1:], "0" + "1" * (len(str(row[2])) - 1))
            for row in labelled_rows("residue", part, 8)
        ]
        path = write_rows(tmp_path / f"masked_{part}.tsv", "id sequence label mask", rows)
        tables[part] = path
    config = small_config(tmp_path, "residue", "lora", **tables | {"test": (str(tables["test"]),)})
    result = train(config)
    assert load_bundle(result.path / "model").answering.labels.class_names == ("E", "H")
    lengths = [len(str(row[1])) for row in labelled_rows("residue", "test", 8)]
    assert result.metrics["splits"]["test"]["accuracy"]["n"] == sum(lengths) - 8
    predictions = pd.read_csv(result.path / "predictions.tsv", sep="\t", dtype=str)
    assert len(predictions) == sum(lengths)  # all are predicted


@pytest.mark.parametrize("name", TASKS)
def test_labels_survive_saving(trained: Trained, name: str) -> None:
    labels = load_bundle(trained(name, "head") / "model").answering.labels
    task = TASKS[name]
    assert task.outcome.outputs(labels) >= 1
    if task.outcome.kind == "continuous":
        assert labels.spread > 0
        return
    assert len(labels.class_names) == len(labels.class_counts)
    rows = labelled_rows(name, "train", 24)
    counted = len(rows)
    if task.level == "residue":
        counted = sum(len(str(row[1])) for row in rows)
    if task.outcome.kind == "multilabel":
        assert labels.rows == counted
        counted = 6 * (1 + 2 + 0 + 2)  # a quarter of the rows each: a; a and b; none; b and c
    assert sum(labels.class_counts) == pytest.approx(counted)


@pytest.mark.parametrize("name", TASKS)
def test_metrics_accept_the_output_of_any_model(name: str) -> None:
    task = TASKS[name]
    generator = np.random.default_rng(0)
    labels = some_labels(name)
    outputs = task.outcome.outputs(labels)
    logits = generator.normal(size=(12, outputs)).astype(np.float32)
    values = generator.normal(size=(12, 1))
    if task.outcome.uses_threshold:
        values = generator.integers(0, 2, (12, outputs)).astype(float)
    if task.outcome.kind == "categorical":
        values = np.eye(outputs)[generator.integers(0, outputs, 12)]
    answers = task.outcome.answers(logits, labels)
    metrics = task.outcome.metrics(values, answers, labels, threshold=0.5)
    assert len(answers) == 12
    assert np.isfinite(metrics[task.outcome.headline])
    columns = task.outcome.columns(logits, labels, threshold=0.5)
    assert "prediction" in columns
    assert {len(column) for column in columns.values()} == {12}


def some_labels(name: str) -> Labels:
    if TASKS[name].outcome.kind in ("categorical", "multilabel"):
        return Labels(("a", "b", "c"), (4.0, 4.0, 4.0))
    return Labels(("0", "1"), (6.0, 6.0), centre=2.0, spread=3.0)


@pytest.mark.parametrize("name", TASKS)
def test_any_table_of_the_task_is_scored_later(trained: Trained, tmp_path: Path, name: str) -> None:
    run = trained(name, "full")
    table = run.parent / "test.tsv"
    config = EvaluateConfig(
        run=run, input=table, out=tmp_path / "scores", device="cpu", precision="fp32", threads=1
    )
    now = evaluate(config)["splits"]["test"]
    headline = TASKS[name].outcome.headline
    assert now[headline]["n"] > 0


@pytest.mark.parametrize(
    "name", [name for name in TASKS if TASKS[name].outcome.kind == "continuous"]
)
def test_scores_of_values_are_scipys_on_the_table(trained: Trained, name: str) -> None:
    run = trained(name, "head")
    rows = pd.read_csv(run / "predictions.tsv", sep="\t")
    rows = rows[rows["counted"] == 1]
    scores = read_record(run / "metrics.json")["splits"]["test"]
    found, _ = spearmanr(rows["label"], rows["prediction"])
    assert scores["spearman"]["value"] == pytest.approx(found, abs=1e-3)
    error = np.abs(rows["label"] - rows["prediction"]).mean()
    assert scores["mae"]["value"] == pytest.approx(error, abs=1e-4)
