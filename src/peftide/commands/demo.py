"""`peftide demo`: three methods on a simulated proteome of known truth, offline."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from peftide.commands.predict import predict
from peftide.commands.train import TrainResult, train
from peftide.config import DemoConfig, PredictConfig, TrainConfig
from peftide.environment import environment
from peftide.files import write_json, write_text
from peftide.outputs import clear_folder, making_folder
from peftide.progress import saying_once
from peftide.simulate import simulate_proteome, write_proteome
from peftide.work_folder import RECORD

logger = logging.getLogger(__name__)

COMMAND = "demo"
DEMO_BACKBONE = "mini"
METHODS: dict[str, dict[str, Any]] = {
    "head": {},
    "lora": {"learning_rate": 3e-3},
    "full": {"learning_rate": 3e-4},
}
EPOCHS = {"ppi": 1, "symmetry": 6}
"""Epochs of the methods that train the backbone; a head alone takes little time for many."""


@dataclass(frozen=True)
class DemoResult:
    """Results of the demo.

    Attributes
    ----------
    table
        One row per task and method.
    best
        The method with the best validation score on pairs, which predicted the new pairs.
    new_pairs
        Predictions for pairs of new proteins, with their true labels.
    path
        Folder with the data, the runs and the tables.
    """

    table: pd.DataFrame = field(repr=False)
    best: str
    new_pairs: pd.DataFrame = field(repr=False)
    path: Path


def demo(config: DemoConfig) -> DemoResult:
    """Simulate a proteome, train three methods on it, and predict on new proteins.

    Raises
    ------
    InputError
        If the output folder exists.
    """
    with making_folder(config.out, command=COMMAND, overwrite=config.overwrite):
        return run_demo(config)


def run_demo(config: DemoConfig) -> DemoResult:
    """Fill the folder of the demo; remove its earlier content, which can be computed again."""
    record = {"simulated": True} | environment(config.seed, command=COMMAND)
    write_json(config.out / RECORD, record)
    clear_folder(config.out, command=COMMAND)
    data = config.out / "data"
    logger.info("simulating a proteome with planted signals (nothing in it is natural)")
    write_proteome(simulate_proteome(config.seed), data)
    # torch and all that stands on it: a refusal should not wait for them
    from peftide.backbones.loading import load_backbone

    load_backbone(DEMO_BACKBONE)  # loads the libraries, which no training's memory should include
    rows = []
    with saying_once():
        for task in ("ppi", "symmetry"):
            for method in METHODS:
                logger.info("\n%s, %s", task, method)
                result = train(training(config, task, method, data=data))
                rows.append(table_row(task, method, result))
    table = pd.DataFrame(rows)
    pairs = table[table["task"] == "ppi"].reset_index()
    best = str(pairs["method"][pairs["validation"].argmax()])
    new_pairs = predict_new_pairs(config, best, data)
    write_text(config.out / "table.tsv", table.to_csv(sep="\t", index=False))
    return DemoResult(table, best, new_pairs, config.out)


def training(config: DemoConfig, task: str, method: str, *, data: Path) -> TrainConfig:
    """Return the options of one training of the demo."""
    settings: dict[str, Any] = METHODS[method] | (
        {} if method == "head" else {"epochs": EPOCHS[task]}
    )
    tables = {"ppi": "pairs.tsv", "symmetry": "symmetry.tsv"}
    return TrainConfig(
        task=task,
        method=method,
        backbone=DEMO_BACKBONE,
        data=data / tables[task],
        sequences=data / "proteins.fasta" if task == "ppi" else None,
        out=run_path(config, task, method),
        seed=config.seed,
        device=config.device,
        threads=config.threads,
        precision=config.precision,
        batch_size=16,
        **settings,
    )


def run_path(config: DemoConfig, task: str, method: str) -> Path:
    """Return the run folder of one training."""
    return config.out / "runs" / f"{task}_{method}"


def table_row(task: str, method: str, result: TrainResult) -> dict[str, Any]:
    """Return the scores, the strongest baseline and the cost of one training."""
    metrics, record = result.metrics, result.record
    headline = metrics["headline"]
    scores = {
        name: parts["test"][headline]["value"] for name, parts in metrics["baselines"].items()
    }
    baseline = max(scores, key=lambda name: scores[name])
    return {
        "task": task,
        "method": method,
        "metric": headline,
        "validation": metrics["splits"]["validation"][headline]["value"],
        "test": metrics["splits"]["test"][headline]["value"],
        "composition": scores["composition"],
        "best_baseline": baseline,
        "best_baseline_test": scores[baseline],
        "trained_parameters": record["parameters"]["trained"],
        "added_memory_mb": added_memory_mb(record),
        "seconds": record["seconds"]["this_process"],
    }


def added_memory_mb(record: dict[str, Any]) -> int:
    """Return the peak memory less the memory in use when the training began, in MB."""
    return round((record["peak_memory_bytes"] - record["memory_before_bytes"]) / 1e6)


def predict_new_pairs(config: DemoConfig, method: str, data: Path) -> pd.DataFrame:
    """Predict pairs of proteins that no training saw, and add their true labels."""
    predictions = predict(
        PredictConfig(
            run=run_path(config, "ppi", method),
            input=data / "new_pairs.tsv",
            sequences=data / "proteins.fasta",
            out=config.out / "new_pairs_scores.tsv",
            threads=config.threads,
            device=config.device,
            precision=config.precision,
        )
    )
    truth = pd.read_csv(data / "new_pairs_truth.tsv", sep="\t")
    return predictions.assign(truth=truth["label"].to_numpy())
