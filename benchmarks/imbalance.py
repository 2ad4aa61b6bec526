"""What `--imbalance` does where classes are rare: frozen `mini`, symmetry and localisation.

    python benchmarks/imbalance.py --seeds 3 --out RUNS

Needs PEFTIDE_DATA (docs/data.md). Runs that are finished in --out are read, not repeated.
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np

from peftide import TrainConfig, train

SETS = {
    "symmetry": ("symmetry", "symmetry/symmetry.tsv", "all_labels"),
    "deeploc10": ("multiclass", "tasks/deeploc10/data.tsv.xz", "label"),
}
OPTIONS = ("none", "weights", "logit_adjustment")
METRICS = ("macro_recall", "macro_average_precision", "accuracy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    print(f"{'set':<10} {'--imbalance':<17} {'part':<10}", *(f"{m:>24}" for m in METRICS))
    for name in options.sets:
        for imbalance in OPTIONS:
            runs = [run(name, imbalance, seed, options) for seed in range(options.seeds)]
            for part in ("validation", "test"):
                scores = [[r["splits"][part][m]["value"] for m in METRICS] for r in runs]
                means = (f"{value:>24.3f}" for value in np.mean(scores, axis=0))
                print(f"{name:<10} {imbalance:<17} {part:<10}", *means, flush=True)


def run(name: str, imbalance: str, seed: int, options: argparse.Namespace) -> dict:
    """Train one head on frozen vectors; return its `metrics.json`."""
    task, table, label = SETS[name]
    out = options.out / f"{name}_{imbalance}_{seed}"
    if not (out / "metrics.json").is_file():
        train(
            TrainConfig(
                task=task,
                method="head",
                backbone="mini",
                data=Path(os.environ["PEFTIDE_DATA"]) / table,
                label_column=label,
                max_length=400,
                epochs=30,
                imbalance=imbalance,
                seed=seed,
                threads=options.threads,
                baselines=("none",),
                embedding_cache=options.out / "embeddings",
                resume=True,
                out=out,
            )
        )
    return json.loads((out / "metrics.json").read_text())


if __name__ == "__main__":
    main()
