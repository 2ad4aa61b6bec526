"""Frozen `mini` on real data, beside the same network with random weights and beside composition.

    python benchmarks/mini.py gold yeast symmetry gb1 stability secondary_structure \
        --backbones mini random:esm2_mini --seeds 3 --out RUNS

Needs PEFTIDE_DATA (docs/results/data.md). Runs that are finished in --out are read, not repeated;
every protein is embedded once per backbone. For pairs, the interval of the difference between the
two backbones (mean over seeds) is the protein-aware one: product weights from resampled proteins,
corrected for the pair noise that they count too often.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from recording import add_record_option, write_record

from peftide import TrainConfig, train
from peftide.config import from_mapping

EXPERIMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "gold": (
        "ppi_gold",
        {"task": "ppi", "train": "train.tsv", "validation": "valid.tsv", "test": ["test.tsv"]}
        | {"sequences": "sequences.fasta", "batch_size": 256, "patience": 2},
    ),
    "yeast": (
        "ppi_yeast",
        {"task": "ppi", "data": "du_0_to_1.tsv", "sequences": "sequences.fasta"}
        | {"validation_kind": "none_seen"},
    ),
    "symmetry": (
        "symmetry",
        {"task": "symmetry", "data": "symmetry.tsv", "label_column": "all_labels"},
    ),
    "gb1": (
        "tasks/gb1",
        {"task": "regression", "data": "data.tsv.xz", "label_column": "target"}
        | {"split_column": "three_vs_rest", "epochs": 100, "patience": 10},
    ),
    "stability": (
        "tasks/stability",
        {"task": "regression", "data": "data.tsv.xz", "label_column": "target"}
        | {"shared_proteins": "allow"},  # 26 test sequences are in train too, as published
    ),
    "secondary_structure": (
        "tasks/secondary_structure",
        {"task": "residue", "data": "data.tsv.xz"},
    ),
}
COLUMNS = ("task", "backbone", "metric", "composition", "mean", "seeds")
LINE = "{:<20} {:<22} {:<24} {:>11} {:>7}  {}"
REPLICATES = 1000
COMMON = 20
"""Test examples from which on a class of symmetry counts in the second macro average."""


def main() -> None:
    options = parse()
    print(LINE.format("task", "backbone", "metric", "composition", "mean", "seeds"))
    rows = []
    for name in options.experiments:
        found: dict[str, list[Path]] = {}
        for backbone in options.backbones:
            found[backbone] = [run(name, backbone, s, options) for s in range(options.seeds)]
            shown = [cells(name, backbone, found[backbone])]
            if name == "symmetry":
                shown.append(common_classes(backbone, found[backbone]))
            for row in shown:
                print(LINE.format(*row), flush=True)
            rows += shown
        if options.ensemble:  # a run by --seeds, against the mean of the runs of each seed
            found = {"ensemble": [options.ensemble], options.backbones[0]: [*found.values()][0]}
        if EXPERIMENTS[name][1]["task"] == "ppi" and len(found) == 2:
            first, second = found.values()
            value, low, high = difference(first, second)
            gap = f"{value:+.4f} [{low:+.4f}, {high:+.4f}]"
            print(f"{'':<20} difference {gap}", flush=True)
            rows.append([name, " minus ".join(found), "average_precision", "", gap, ""])
    write_record(options.record, COLUMNS, rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiments", nargs="+", choices=EXPERIMENTS)
    parser.add_argument("--backbones", nargs="+", default=["mini", "random:esm2_mini"])
    parser.add_argument("--method", default="head")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--ensemble", type=Path, help="run of `peftide train --seeds` on pairs")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE")
    add_record_option(parser)
    return parser.parse_args()


def run(name: str, backbone: str, seed: int, options: argparse.Namespace) -> Path:
    """Train one head; a finished run is left as it is."""
    folder, settings = EXPERIMENTS[name]
    out = options.out / name / f"{Path(backbone).name}_{options.method}_{seed}"
    if (out / "metrics.json").is_file():
        return out
    data = Path(os.environ["PEFTIDE_DATA"]) / folder
    files = {
        key: [str(data / v) for v in value] if isinstance(value, list) else str(data / value)
        for key, value in settings.items()
        if key in ("train", "validation", "test", "data", "sequences")
    }
    values = settings | files | {"method": options.method, "backbone": backbone, "seed": seed}
    values |= {"out": str(out), "threads": options.threads, "resume": True}
    values |= {"embedding_cache": str(options.out / "embeddings")}
    values |= dict(text.split("=", 1) for text in options.set)
    train(from_mapping(TrainConfig, values))
    return out


def cells(name: str, backbone: str, runs: list[Path]) -> list[str]:
    """Return the headline score of composition, of the mean over the seeds, and of each seed."""
    records = [json.loads((path / "metrics.json").read_text()) for path in runs]
    metric = records[0]["headline"]
    values = [record["splits"]["test"][metric]["value"] for record in records]
    baseline = next(iter(records[0]["baselines"].values()))["test"][metric]["value"]
    seeds = " ".join(f"{value:.4f}" for value in values)
    return [name, backbone, metric, f"{baseline:.4f}", f"{np.mean(values):.4f}", seeds]


def common_classes(backbone: str, runs: list[Path]) -> list[str]:
    """Macro average precision over the classes with enough test examples, beside composition."""
    records = [json.loads((path / "metrics.json").read_text()) for path in runs]

    def macro(scores: dict[str, Any]) -> float:
        found = [c["average_precision"] for c in scores["per_class"].values()]
        return float(np.mean([v["value"] for v in found if v["n"] >= COMMON]))

    values = [macro(record["splits"]["test"]) for record in records]
    baseline = macro(records[0]["baselines"]["composition"]["test"])
    seeds = " ".join(f"{value:.4f}" for value in values)
    metric = f"of classes with {COMMON} or more"
    return ["symmetry", backbone, metric, f"{baseline:.4f}", f"{np.mean(values):.4f}", seeds]


def difference(first: list[Path], second: list[Path]) -> tuple[float, float, float]:
    """Average precision of the first minus that of the second, with its 95 % interval."""
    tables = [pd.read_csv(p / "predictions.tsv", sep="\t") for p in (*first, *second)]
    pairs = tables[0]
    kept = (pairs["id_a"] != pairs["id_b"]).to_numpy()
    labels = pairs["label"].to_numpy()[kept] == 1
    scores = [table["score"].to_numpy()[kept] for table in tables]
    proteins = np.unique(pairs[["id_a", "id_b"]].to_numpy()[kept], return_inverse=True)[1]
    proteins = proteins.reshape(-1, 2)
    orders = [np.argsort(-score, kind="stable") for score in scores]

    def gap(weights: np.ndarray) -> float:
        values = [weighted_average_precision(labels[o], weights[o]) for o in orders]
        return float(np.mean(values[: len(first)]) - np.mean(values[len(first) :]))

    rng = np.random.default_rng(0)
    count = proteins.max() + 1
    by_protein, by_pair = [], []
    for _ in range(REPLICATES):
        drawn = np.bincount(rng.integers(count, size=count), minlength=count).astype(float)
        by_protein.append(gap(drawn[proteins[:, 0]] * drawn[proteins[:, 1]]))
        size = len(labels)
        by_pair.append(gap(np.bincount(rng.integers(size, size=size), minlength=size) + 0.0))
    variance = max(np.var(by_protein) - 2 * np.var(by_pair), np.var(by_pair))
    value = gap(np.ones(len(labels)))
    return value, value - 1.96 * variance**0.5, value + 1.96 * variance**0.5


def weighted_average_precision(labels: np.ndarray, weights: np.ndarray) -> float:
    """Average precision of rows that are sorted by falling score (ties as they stand)."""
    positive = np.cumsum(weights * labels)
    everything = np.cumsum(weights)
    precision = positive / np.maximum(everything, 1e-12)
    return float((precision * weights * labels).sum() / positive[-1])


if __name__ == "__main__":
    main()
