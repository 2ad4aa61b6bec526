"""`peftide demo`: three methods on a simulated proteome of known truth, offline."""

import logging
from dataclasses import dataclass
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
DEMO_BACKBONE = "random:esm2_demo"
EVERYWHERE: dict[str, Any] = {
    "lora_layers": "all",
    "lora_targets": ("query", "key", "value", "output"),
    "lora_dropout": 0.0,
}
SETTINGS: dict[str, dict[str, Any]] = {
    "head": {"epochs": 10, "head_weight_decay": 0.3},
    "lora": {"learning_rate": 5e-3} | EVERYWHERE,
    "full": {"learning_rate": 1e-3},
}
EPOCHS = {"ppi": 1, "symmetry": 4}
BEST_METHOD = "full"


@dataclass(frozen=True)
class DemoResult:
    """Results of the demo.

    Attributes
    ----------
    table
        One row per task and method.
    new_pairs
        Predictions for pairs of new proteins, with their true labels.
    path
        Folder with the data, the runs and the tables.
    """

    table: pd.DataFrame
    new_pairs: pd.DataFrame
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
            for method in SETTINGS:
                logger.info("\n%s, %s", task, method)
                result = train(training(config, task, method, data=data))
                rows.append(table_row(task, method, result))
    table = pd.DataFrame(rows)
    new_pairs = predict_new_pairs(config, data)
    write_text(config.out / "table.tsv", table.to_csv(sep="\t", index=False))
    return DemoResult(table, new_pairs, config.out)


def training(config: DemoConfig, task: str, method: str, *, data: Path) -> TrainConfig:
    """Return the options of one training of the demo."""
    settings: dict[str, Any] = {"epochs": EPOCHS[task]} | SETTINGS[method]
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
        batch_size=32,
        **settings,
    )


def run_path(config: DemoConfig, task: str, method: str) -> Path:
    """Return the run folder of one training."""
    return config.out / "runs" / f"{task}_{method}"


def table_row(task: str, method: str, result: TrainResult) -> dict[str, Any]:
    """Return the score, baseline score and cost of one training."""
    metrics, record = result.metrics, result.record
    headline = metrics["headline"]
    return {
        "task": task,
        "method": method,
        "metric": headline,
        "test": metrics["splits"]["test"][headline]["value"],
        "composition": metrics["baselines"]["composition"]["test"][headline]["value"],
        "trained_parameters": record["parameters"]["trained"],
        "added_memory_mb": added_memory_mb(record),
        "seconds": record["seconds"]["this_process"],
    }


def added_memory_mb(record: dict[str, Any]) -> int:
    """Return the peak memory less the memory in use when the training began, in MB."""
    return round((record["peak_memory_bytes"] - record["memory_before_bytes"]) / 1e6)


def predict_new_pairs(config: DemoConfig, data: Path) -> pd.DataFrame:
    """Predict pairs of proteins that no training saw, and add their true labels."""
    predictions = predict(
        PredictConfig(
            run=run_path(config, "ppi", BEST_METHOD),
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
