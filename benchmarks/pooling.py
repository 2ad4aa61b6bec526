"""Ways to pool residue embeddings into one vector: heads on frozen `mini`, compared with the mean.

    python benchmarks/pooling.py symmetry deeploc10 yeast gold --seeds 3 --out RUNS

Each protein is encoded once, and all statistics in `BLOCKS` are stored; a pooling is some of them
side by side. Each pooling trains the default head of `peftide train`; validation chooses the epoch.
`attention` is the pooling of peftide that trains with the head, so it reads stored residues.
A row has the test score, mean over the seeds, and its difference to `mean` with a paired 95 %
interval (seeds are averaged inside each resample). Needs PEFTIDE_DATA (docs/results/data.md).
Results that are finished in --out are read, not repeated.
"""

import argparse
import json
import logging
import os
import resource
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from recording import add_record_option, write_record
from torch import Tensor

from peftide import TrainConfig, bundle
from peftide.adapters import ADAPTERS
from peftide.backbones import layers_of
from peftide.config import from_mapping
from peftide.encoding import ModelEncoder
from peftide.engine.embedding import Embeddings
from peftide.evaluation.comparison import compare_answers
from peftide.evaluation.part_scores import Answers, Resampling
from peftide.hardware import choose_run_hardware
from peftide.heads import Ensemble
from peftide.packing import PackedBatch
from peftide.pooling import EndsPooling, MeanPooling
from peftide.predictor.embedding import backbone_encoder
from peftide.run_folder import open_run
from peftide.sequences.training_tables import data_files
from peftide.tasks import TASKS
from peftide.training.fitting import run_fit
from peftide.training.loop import FitResult
from peftide.training.problem import Problem
from peftide.training.setting import Setting, adapted_backbone, build_setting, prepare

SETS: dict[str, dict[str, Any]] = {
    "symmetry": {"task": "symmetry", "data": "symmetry/symmetry.tsv"}
    | {"label_column": "all_labels", "cluster_column": "cluster30"},
    "deeploc10": {"task": "multiclass", "data": "tasks/deeploc10/data.tsv.xz"}
    | {"label_column": "label"},
    "yeast": {"task": "ppi", "data": "ppi_yeast/du_0_to_1.tsv", "validation_kind": "none_seen"}
    | {"sequences": "ppi_yeast/sequences.fasta"},
    "gold": {"task": "ppi", "train": "ppi_gold/train.tsv", "validation": "ppi_gold/valid.tsv"}
    | {"test": ["ppi_gold/test.tsv"], "sequences": "ppi_gold/sequences.fasta"}
    | {"batch_size": 256, "patience": 2},
}
WIDTH = 320  # of `mini`
WINDOW = 10
PROJECTED = 24
PROJECTION = np.linalg.qr(np.random.default_rng(0).normal(size=(WIDTH, PROJECTED)))[0].astype("f4")
FREQUENCIES = {
    **{"A": 8.25, "C": 1.38, "D": 5.46, "E": 6.72, "F": 3.86, "G": 7.07, "H": 2.27, "I": 5.91},
    **{"K": 5.80, "L": 9.65, "M": 2.41, "N": 4.06, "P": 4.74, "Q": 3.93, "R": 5.53, "S": 6.65},
    **{"T": 5.36, "V": 6.86, "W": 1.10, "Y": 2.92},
}
"""Percentage of each amino acid in Swiss-Prot."""
QUANTILES = (10, 25, 50, 75, 90)
BLOCKS = {
    **dict.fromkeys(("mean", "max", "min", "std", "cube", "cls", "inverse", "window", "cov"), 1),
    **{"ends": 4, "quarters": 4, "cosines": 3, "quantiles": len(QUANTILES), "layers": 2},
}
"""Statistic → the number of its vectors."""
POOLINGS = {
    "mean": ("mean",),
    "max": ("max",),
    "cls": ("cls",),
    "mean + std": ("mean", "std"),
    "mean + max": ("mean", "max"),
    "mean + max + std": ("mean", "max", "std"),
    "power means (minimum, mean, cube, maximum)": ("min", "mean", "cube", "max"),
    "inverse frequency, without first component": ("inverse",),
    "quantiles": ("quantiles",),
    "mean + highest window": ("mean", "window"),
    "mean + covariance": ("mean", "cov"),
    "mean + ends": ("mean", "ends"),
    "mean + first and last quarter": ("mean", "quarters:1", "quarters:4"),
    "mean + three cosines": ("mean", "cosines"),
    "mean of each layer": ("layers", "mean"),
}
"""Pooling → its statistics; `quarters:4` is the fourth vector of `quarters`."""
SOURCES = (
    "Sources. Maximum: Detlefsen et al. 2022, doi 10.1038/s41467-022-29443-w. Standard deviation: "
    "statistics pooling of speech, Snyder et al. 2018, doi 10.1109/ICASSP.2018.8461375. Power "
    "means: Rücklé et al. 2018, arXiv 1803.01400. Inverse frequency of the amino acid in "
    "Swiss-Prot, without the first singular vector of the training proteins: Arora et al. 2017, "
    "openreview.net/forum?id=SyK00v5xx. Five quantiles of each dimension: sliced-Wasserstein "
    "pooling with fixed slices, after NaderiAlizadeh and Singh 2025, doi 10.1093/bioadv/vbaf060.",
    "Highest mean of ten neighbours: after BoM-Pooling (Bioinformatics 41, i217, 2025), without "
    "its attention. Covariance of 24 random directions, signed roots: after bilinear pooling, Lin "
    "et al. 2015, doi 10.1109/ICCV.2015.170. Three cosines along the sequence: after Iovino et "
    "al. 2024, doi 10.1101/gr.279127.124. Mean of each layer: after Peters et al. 2018, doi "
    "10.18653/v1/N18-1202. In peftide: `--pooling ends`, `window` (the highest mean), `attention`.",
    "Not in the benchmark: Pool PaRTI (doi 10.1093/bioinformatics/btaf330), which needs the "
    "attention maps of all layers; packed attention does not keep them.",
)
TRAINED = "attention"
COLUMNS = ("Set", "Metric", "Pooling", "Vectors", "Validation", "Test", "Minus mean", "CPU s")


def main() -> None:
    options = parse()
    logging.basicConfig(level=logging.ERROR)
    rows = []
    for name in options.sets:
        rows += measured(name, options)
    write_record(options.record, COLUMNS, rows, notes=SOURCES)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", choices=SETS)
    parser.add_argument("--poolings", nargs="+", choices=[*POOLINGS, TRAINED], default=[*POOLINGS])
    parser.add_argument("--train-rows", type=int, help="draw this many of the train rows")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, required=True)
    add_record_option(parser)
    return parser.parse_args()


def measured(name: str, options: argparse.Namespace) -> list[list[str]]:
    """Train the heads of every pooling on a set; return the rows of the table."""
    config = config_of(name, options)
    hardware = choose_run_hardware(config)
    with hardware.computing():
        problem, _ = prepare(config, TASKS[config.task])
        kept = {arm: trained(name, arm, problem, options) for arm in options.poolings}
        rows = problem.part("test").rows()
        counted = problem.targets["test"].counted
        answers = {
            arm: [Answers(values[counted]) for values in np.load(found / "answers.npy")]
            for arm, found in kept.items()
        }
        compared = compare_answers(rows, answers, resampling=Resampling(0, options.threads))
    metric = problem.task.outcome.headline
    table = []
    for arm, found in kept.items():
        record = json.loads((found / "record.json").read_text())
        value = f"{compared['scores'][arm][metric]['value']:.4f}"
        gap = "" if arm == "mean" else difference(compared["differences"], arm, "mean", metric)
        vectors, cpu = str(record["vectors"]), f"{record['cpu_seconds']:.0f}"
        cells = [name, metric, arm, vectors, f"{record['validation']:.4f}", value, gap, cpu]
        print(*cells, sep=" · ", flush=True)
        table.append(cells)
    return table


def difference(differences: dict[str, Any], one: str, other: str, metric: str) -> str:
    """Return the score of one prediction minus that of another, with its interval."""
    sign, key = 1, f"{one} − {other}"
    if key not in differences:
        sign, key = -1, f"{other} − {one}"
    gap = differences[key][metric]
    low, high = sorted((sign * gap["low"], sign * gap["high"]))
    return f"{sign * gap['value']:+.4f} [{low:+.4f}, {high:+.4f}]"


def config_of(name: str, options: argparse.Namespace, out: Path | None = None) -> TrainConfig:
    """Return the training of the heads on a set."""
    values = {"backbone": "mini", "method": "head", "seeds": options.seeds, "baselines": ("none",)}
    values |= {"threads": options.threads, "out": out or options.out / "none", "overwrite": True}
    for key, value in SETS[name].items():
        if key == "data" and options.train_rows:
            value = str(drawn(name, options))
        elif key in ("data", "train", "validation", "sequences"):
            value = str(data(value))
        values[key] = [str(data(one)) for one in value] if key == "test" else value
    return from_mapping(TrainConfig, values)


def drawn(name: str, options: argparse.Namespace) -> Path:
    """Write a table with some of the train rows of a set; they are the same every time."""
    path = options.out / f"{name}-{options.train_rows}.tsv"
    if not path.is_file():
        rows = pd.read_csv(data(SETS[name]["data"]), sep="\t")
        train = rows.loc[rows["split"] == "train"].sample(options.train_rows, random_state=0)
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.concat([train, rows.loc[rows["split"] != "train"]]).to_csv(path, sep="\t", index=False)
    return path


def data(name: str) -> Path:
    return Path(os.environ["PEFTIDE_DATA"]) / name


def trained(name: str, arm: str, problem: Problem, options: argparse.Namespace) -> Path:
    """Train the heads on one pooling; return the folder with the answers of each head."""
    out = options.out / name / arm.replace(" ", "_")
    if (out / "record.json").is_file():
        return out
    if arm == TRAINED:
        return trained_attention(name, problem, out=out, options=options)
    stored = everything(name, problem, options)
    before = cpu_seconds()
    rows = pooled(arm, stored, np.unique(problem.dataset.parts["train"].members))
    setting, result = fitted_on(rows, config_of(name, options, out / "run"), problem)
    together = setting.model.head
    answers = []
    for head in together.members if isinstance(together, Ensemble) else [together]:
        setting.model.head = head
        answers.append(answers_of(setting))
    vectors = rows.shape[1] // WIDTH
    return write(out, answers, result.best_score, vectors=vectors, since=before)


def trained_attention(
    name: str, problem: Problem, *, out: Path, options: argparse.Namespace
) -> Path:
    """Train attention pooling with each seed; return the folder with the answers of each head."""
    before, answers, scores = cpu_seconds(), [], []
    for seed in range(options.seeds):
        config = config_of(name, options, out / f"run-{seed}")
        changes = {"embedding_cache": options.out / name / "residues", "pooling": TRAINED}
        setting, result = fitted(replace(config, seeds=1, seed=seed, **changes), problem)
        answers.append(answers_of(setting))
        scores.append(result.best_score)
    return write(out, answers, float(np.mean(scores)), vectors=1, since=before)


def fitted_on(rows: np.ndarray, config: TrainConfig, problem: Problem) -> tuple[Setting, FitResult]:
    """Train one or several heads on ready vectors of all proteins."""
    embeddings = Embeddings(torch.from_numpy(rows), np.arange(len(rows) + 1))
    pooling = MeanPooling()
    pooling.vectors = rows.shape[1] // WIDTH
    with ExitStack() as stack:
        stack.enter_context(patch.object(bundle, "build_pooling", lambda *_, **__: pooling))
        stack.enter_context(patch.object(ModelEncoder, "embed", lambda *_, **__: embeddings))
        return fitted(config, problem)


def fitted(config: TrainConfig, problem: Problem) -> tuple[Setting, FitResult]:
    """Train a head, or several heads together, as `peftide train` does."""
    hardware, adapter = choose_run_hardware(config), ADAPTERS[config.method]
    backbone = adapted_backbone(config, hardware.dtype)
    with open_run(config, data_files(config)) as folder:
        setting = build_setting(config, problem, backbone, hardware=hardware, folder=folder)
        return setting, run_fit(setting, adapter, folder)


def answers_of(setting: Setting) -> np.ndarray:
    """Return the answers of the current head for the test part."""
    return setting.predictor().answering.answers(setting.logits("test"))


def write(
    out: Path, answers: list[np.ndarray], validation: float, *, vectors: int, since: float
) -> Path:
    """Write the answers of each head, and what the training needed."""
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / "answers.npy", np.stack(answers))
    record = {"validation": validation, "vectors": vectors, "cpu_seconds": cpu_seconds() - since}
    (out / "record.json").write_text(json.dumps(record))
    return out


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def pooled(arm: str, stored: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return the vectors of a pooling for all proteins. Shape (P, V · D)."""
    starts = dict(zip(BLOCKS, np.cumsum([0, *BLOCKS.values()]), strict=False))
    chosen = []
    for name in POOLINGS[arm]:
        block, _, number = name.partition(":")
        first = starts[block] + (int(number) - 1 if number else 0)
        chosen += range(first, first + (1 if number else BLOCKS[block]))
    rows = np.concatenate([stored[:, one * WIDTH : (one + 1) * WIDTH] for one in chosen], axis=1)
    if "inverse" in POOLINGS[arm]:  # Arora et al. 2017: without the first singular vector
        first = np.linalg.svd(rows[train], full_matrices=False)[2][0]
        rows -= np.outer(rows @ first, first)
    return rows


def everything(name: str, problem: Problem, options: argparse.Namespace) -> np.ndarray:
    """Return all statistics of all proteins, which are encoded once. Shape (P, V · D)."""
    config = config_of(name, options)
    hardware = choose_run_hardware(config)
    encoder = backbone_encoder(
        adapted_backbone(config, hardware.dtype),
        hardware,
        max_length=config.max_length,
        pooling=Statistics(),
    )
    encoder.encode = partial(encode, encoder)
    before = cpu_seconds()
    rows = encoder.embed(problem.dataset.proteins.sequences, store=options.out / "statistics").rows
    print(f"{name}: vectors ready, {cpu_seconds() - before:.0f} CPU s", flush=True)
    return rows.numpy()


def encode(encoder: ModelEncoder, batch: PackedBatch) -> Tensor:
    """Return the statistics of the sequences of a batch."""
    model, letters = encoder.model, encoder.model.backbone.vocabulary.letter_ids
    weights = np.ones(letters.max() + 1, dtype=np.float32)
    weights[letters[[*map(ord, FREQUENCIES)]]] = 1 / np.array([*FREQUENCIES.values()])
    layers = [*layers_of(model.backbone, where="--backbone", fix="Use mini").every_layer(batch)]
    ends = EndsPooling()(layers[-1], batch)[:, WIDTH:].numpy()
    sizes = (np.array(batch.lengths) - model.backbone.vocabulary.special_tokens).cumsum()[:-1]
    *below, residues = [
        np.split(layer[batch.residue_rows].float().numpy(), sizes) for layer in layers
    ]
    own = np.split(weights[batch.input_ids[batch.residue_rows]], sizes)
    cls = layers[-1][batch.first_rows].float().numpy()
    rows = [
        statistics(found, own[i], below=[layer[i] for layer in below])
        | {"cls": cls[i], "ends": ends[i]}
        for i, found in enumerate(residues)
    ]
    return torch.from_numpy(
        np.stack([np.concatenate([np.ravel(row[block]) for block in BLOCKS]) for row in rows])
    )


def statistics(
    residues: np.ndarray, weights: np.ndarray, *, below: list[np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the statistics of one sequence.

    Parameters
    ----------
    residues
        Residue embeddings of the last layer. Shape (L, D).
    weights
        Inverse frequency of each residue. Shape (L,).
    below
        Residue embeddings of the other layers.
    """
    length, mean = len(residues), residues.mean(axis=0)
    sums = np.concatenate([np.zeros((1, WIDTH), np.float32), residues.cumsum(axis=0)])
    window = min(WINDOW, length)
    projected = (residues - mean) @ PROJECTION
    products = (projected.T @ projected / length)[np.triu_indices(PROJECTED)]
    places = (np.arange(length, dtype=np.float32) + 0.5) / length
    waves = np.cos(np.pi * np.arange(1, BLOCKS["cosines"] + 1)[:, None] * places)
    ranks = [round(share / 100 * (length - 1)) for share in QUANTILES]
    return {
        "mean": mean,
        "max": residues.max(axis=0),
        "min": residues.min(axis=0),
        "std": residues.std(axis=0),
        "cube": np.cbrt((residues**3).mean(axis=0)),
        "inverse": weights @ residues / weights.sum(),
        "window": (sums[window:] - sums[:-window]).max(axis=0) / window,
        "cov": np.pad(np.sign(products) * np.sqrt(np.abs(products)), (0, WIDTH - len(products))),
        "quarters": np.stack([part.mean(axis=0) for part in np.array_split(residues, 4)]),
        "cosines": (waves @ residues / length).astype(np.float32),
        "quantiles": np.sort(np.ascontiguousarray(residues.T), axis=1)[:, ranks].T,
        "layers": np.stack([layer.mean(axis=0) for layer in below]),
    }


class Statistics(MeanPooling):
    """The name and the width of all statistics; `encode` computes them."""

    vectors = sum(BLOCKS.values())


if __name__ == "__main__":
    main()
