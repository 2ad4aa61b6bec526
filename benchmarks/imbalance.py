"""What helps with rare classes and with few rows: what peftide offers, and what was tried.

    python benchmarks/imbalance.py classes --seeds 5 --out RUNS
    python benchmarks/imbalance.py few_rows --seeds 5 --out RUNS

`classes`: heads on frozen `mini`, symmetry and localisation: the focal loss, and examples drawn so
that every cluster (or its square root) counts alike. `few_rows`: `mini` fully fine-tuned on 200
rows: the head alone for two of eight epochs, and a learning rate that halves from layer to layer.
What is not offered is put into the training from outside. Needs PEFTIDE_DATA
(docs/results/data.md). Runs that are finished in --out are read, not repeated; the difference to
`plain` is that of the same seeds.
"""

import argparse
import json
import math
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from recording import add_record_option, write_record
from torch import Tensor
from torch.optim import AdamW

from peftide import TrainConfig, train
from peftide.config import from_mapping
from peftide.engine.blocks import Batch
from peftide.model import ProteinModel
from peftide.optimizer import OptimizerStep
from peftide.parameters import trained_parameters
from peftide.pretraining.sampling import cluster_weights
from peftide.tasks import Labels
from peftide.training import fitting as workflow
from peftide.training import loop
from peftide.training.batches import Batches
from peftide.training.optimizer import build_optimizer
from peftide.training.parts import Fitting

DATA = Path(os.environ.get("PEFTIDE_DATA", ""))
FOCUS = 2.0
RATE_OF_NEXT_LAYER = 0.5
HEAD_EPOCHS, EPOCHS, BATCH_SIZE = 2, 8, 16
ROWS = {"train": 200, "validation": 100, "test": 1000}

SETS: dict[str, dict[str, dict[str, Any]]] = {
    "classes": {
        "symmetry": {"task": "symmetry", "data": DATA / "symmetry/symmetry.tsv"}
        | {"label_column": "all_labels", "cluster_column": "cluster30"},
        "deeploc10": {"task": "multiclass", "data": DATA / "tasks/deeploc10/data.tsv.xz"}
        | {"label_column": "label"},
    },
    "few_rows": {
        "gb1": {"data": DATA / "tasks/gb1/data.tsv.xz", "split_column": "three_vs_rest"},
        "stability": {"data": DATA / "tasks/stability/data.tsv.xz", "split_column": "split"},
    },
}
ARMS = {
    "classes": ("plain", "weights", "logit_adjustment", "focal", "clusters", "root_clusters"),
    "few_rows": ("plain", "quarter_rate", "head_first", "layer_rates"),
}
OFFERED = {
    "weights": {"imbalance": "weights"},
    "logit_adjustment": {"imbalance": "logit_adjustment"},
    "quarter_rate": {"learning_rate": 2.5e-5},
}
METRICS = {
    "classes": ("macro_recall", "macro_average_precision", "accuracy"),
    "few_rows": ("spearman",),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("question", choices=SETS)
    parser.add_argument("--sets", nargs="+", help="some of the data sets only")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, required=True)
    add_record_option(parser)
    options = parser.parse_args()
    rows = []
    for name in options.sets or SETS[options.question]:
        plain: dict[str, np.ndarray] = {}
        for arm in ARMS[options.question]:
            if "clusters" in arm and "cluster_column" not in SETS[options.question][name]:
                continue
            tests = [run(name, arm, seed, options) for seed in range(options.seeds)]
            for metric in METRICS[options.question]:
                values = np.array([test[metric]["value"] for test in tests])
                lead = values - plain.setdefault(metric, values)
                error = lead.std(ddof=1) / np.sqrt(len(lead)) if len(lead) > 1 else np.nan
                mean, gap = f"{values.mean():.4f}", f"{lead.mean():+.4f} ± {error:.4f}"
                print(f"{name:<10} {arm:<17} {metric:<24} {mean}   minus plain {gap}", flush=True)
                rows.append([name, arm, metric, mean, gap])
    write_record(options.record, ("set", "arm", "metric", "mean", "minus plain"), rows)


def run(name: str, arm: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Train once; return the test metrics."""
    out = options.out / f"{name}_{arm}_{seed}"
    if not (out / "metrics.json").is_file():
        values = {"backbone": "mini", "baselines": ("none",), "overwrite": True, "out": out}
        values |= {"seed": seed, "threads": options.threads}
        values |= SETS[options.question][name] | OFFERED.get(arm, {})
        if options.question == "classes":
            values |= {"method": "head", "max_length": 400, "epochs": 30}
            values |= {"embedding_cache": options.out / "embeddings"}
        else:
            values |= {"method": "full", "task": "regression", "label_column": "target"}
            values |= {"max_length": 56, "epochs": EPOCHS, "batch_size": BATCH_SIZE}
            values["data"] = few_rows(values, options.out / f"{name}_{seed}.tsv", seed=seed)
        with put_in(arm):
            train(from_mapping(TrainConfig, values))
    return json.loads((out / "metrics.json").read_text())["splits"]["test"]


def few_rows(values: dict[str, Any], path: Path, *, seed: int) -> Path:
    """Write a table of some rows: those of train depend on the seed, the others do not."""
    column = values["split_column"]
    rows = pd.read_csv(values["data"], sep="\t").drop_duplicates("sequence")
    rows[column] = rows[column].replace("valid", "validation")
    parts = [
        rows[rows[column] == part].sample(count, random_state=seed if part == "train" else 0)
        for part, count in ROWS.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.concat(parts).to_csv(path, sep="\t", index=False, columns=["sequence", "target", column])
    return path


@contextmanager
def put_in(arm: str) -> Iterator[None]:
    """Put what is not offered into the training."""
    build = workflow.build_fitting
    clusters: list[str] = []

    def fitting_with(setting: Any, *others: Any) -> Fitting:
        clusters[:] = setting.problem.dataset.parts["train"].clusters or ()
        fitting = build(setting, *others)
        if arm != "focal":
            return fitting
        outcome = replace(fitting.task.outcome, loss=focal_loss)
        return replace(fitting, task=replace(fitting.task, outcome=outcome))

    def drawn(fitting: Fitting) -> Batches:
        return cluster_batches(fitting, np.array(clusters), 0.5 if "root" in arm else 0.0)

    changed = {
        "clusters": ("choose_batches", drawn),
        "root_clusters": ("choose_batches", drawn),
        "head_first": ("OptimizerStep", HeadFirst),
        "layer_rates": ("build_optimizer", layer_rates),
    }
    with ExitStack() as stack:
        stack.enter_context(patch.object(workflow, "build_fitting", fitting_with))
        if arm in changed:
            stack.enter_context(patch.object(loop, *changed[arm]))
        yield


def focal_loss(logits: Tensor, values: Tensor, _labels: Labels, **_: Any) -> Tensor:
    """Return the focal loss (Lin et al. 2017, arXiv 1708.02002, equation 4)."""
    unsure = (1 - torch.softmax(logits, dim=1)) ** FOCUS
    return -(values * unsure * torch.log_softmax(logits, dim=1)).sum(dim=1)


def cluster_batches(fitting: Fitting, clusters: np.ndarray, power: float) -> Batches:
    """Return batches drawn with replacement; a cluster of n counts as n to the power."""
    examples, config = fitting.part.trained_examples(), fitting.config
    chances = cluster_weights(np.unique(clusters[examples], return_inverse=True)[1], power)

    def batches(epoch: int) -> list[Batch]:
        generator = np.random.default_rng([config.seed, epoch])
        drawn = generator.choice(examples, len(examples), p=chances / chances.sum())
        starts = range(0, len(drawn), config.batch_size)
        return [Batch(drawn[start : start + config.batch_size]) for start in starts]

    return batches


class HeadFirst(OptimizerStep):
    """The usual step with the backbone at rest in the first epochs.

    Howard and Ruder 2018 (doi 10.18653/v1/P18-1031) unfreeze layer by layer.
    """

    def set_rates(self, step: int) -> None:
        """Set the learning rate of every group for a step."""
        super().set_rates(step)
        if step < HEAD_EPOCHS * math.ceil(ROWS["train"] / BATCH_SIZE):
            # build_optimizer puts the two groups of the head first
            for group in self.optimizer.param_groups[2:]:
                group["lr"] = 0.0


def layer_rates(model: ProteinModel, config: TrainConfig, *, learning_rate: float) -> AdamW:
    """Return the usual optimizer with rates that fall towards the first layer (ibid.)."""
    names = {id(parameter): name for name, parameter in trained_parameters(model).items()}
    groups = []
    for group in build_optimizer(model, config, learning_rate=learning_rate).param_groups:
        for parameter in group["params"]:
            depth = depth_of(names[id(parameter)], model.backbone.layers)
            settings = {"lr": group["lr"] * RATE_OF_NEXT_LAYER**depth}
            groups.append({"params": [parameter], "weight_decay": group["weight_decay"]} | settings)
    return AdamW(groups)


def depth_of(name: str, layers: int) -> int:
    """Return how many layers lie above a parameter: 0 for head and last layer."""
    found = re.search(r"\blayer\.(\d+)\.", name)
    if found:
        return layers - 1 - int(found[1])
    return layers if "embeddings" in name else 0


if __name__ == "__main__":
    main()
