"""Every method of adaptation on the same small split, as a table.

    python benchmarks/methods.py --out RUNS
    python benchmarks/methods.py --out RUNS --methods ia3 vera --learning-rates 3e-3 1e-2

GB1 fitness, three_vs_rest: 600 training, 299 validation and 1,000 test rows drawn with a fixed
seed, the first 56 residues (in which all differences lie), `mini`, 8 epochs in batches of 32.
Without --learning-rates each method has its own. Needs PEFTIDE_DATA (docs/data.md). Runs that are
finished in --out are read, not repeated. Each is a process of its own: so its peak memory is.
"""

import argparse
import json
import multiprocessing
import os
import resource
from pathlib import Path
from typing import Any

import pandas as pd

from peftide import TrainConfig, train
from peftide.adapters import ADAPTERS

ROWS = {"train": 600, "validation": 299, "test": 1000}
SETTINGS: dict[str, Any] = {
    "task": "regression",
    "label_column": "target",
    "split_column": "three_vs_rest",
    "max_length": 56,
    "epochs": 8,
    "batch_size": 32,
}


def main() -> None:
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    table = write_table(options.out / "gb1.tsv")
    print(
        f"{'method':<11} {'rate':>7} {'trained':>10} {'CPU seconds':>11} {'added MB':>9} "
        f"{'validation':>10} {'test':>6}"
    )
    for method in options.methods:
        for rate in options.learning_rates or [None]:
            print(line(method, run(method, rate, table, options)), flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="+", choices=ADAPTERS, default=list(ADAPTERS))
    parser.add_argument("--learning-rates", nargs="+", type=float)
    parser.add_argument("--backbone", default="mini")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def write_table(path: Path) -> Path:
    """Write the rows to train and score on; they are the same every time."""
    column = SETTINGS["split_column"]
    rows = pd.read_csv(Path(os.environ["PEFTIDE_DATA"]) / "tasks" / "gb1" / "data.tsv.xz", sep="\t")
    rows = rows.assign(**{column: rows[column].replace("valid", "validation")})
    parts = [
        rows[rows[column] == part].sample(count, random_state=0) for part, count in ROWS.items()
    ]
    pd.concat(parts)[["sequence", "target", column]].to_csv(path, sep="\t", index=False)
    return path


def run(method: str, rate: float | None, table: Path, options: argparse.Namespace) -> Path:
    """Train one model in a process of its own; a finished run is left as it is."""
    rate = ADAPTERS[method].learning_rate if rate is None else rate
    out = options.out / f"{Path(options.backbone).name}_{method}_{rate:g}"
    if (out / "metrics.json").is_file():
        return out
    config = TrainConfig(
        method=method,
        backbone=options.backbone,
        learning_rate=rate,
        data=table,
        out=out,
        threads=options.threads,
        resume=True,
        **SETTINGS,
    )
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    before = used.ru_utime + used.ru_stime
    process = multiprocessing.get_context("spawn").Process(target=train, args=(config,))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(process.exitcode)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_file(out).write_text(str(used.ru_utime + used.ru_stime - before))
    return out


def cpu_file(out: Path) -> Path:
    """Where the CPU seconds of a run stand; on a busy machine they say more than the clock."""
    return out.with_name(f"{out.name}.cpu_seconds")


def line(method: str, out: Path) -> str:
    metrics = json.loads((out / "metrics.json").read_text())
    record = json.loads((out / "run.json").read_text())
    splits, headline = metrics["splits"], metrics["headline"]
    scores = [splits[part][headline]["value"] for part in ("validation", "test")]
    added = (record["peak_memory_bytes"] - record["memory_before_bytes"]) / 1e6
    rate = out.name.rpartition("_")[2]
    seconds = float(cpu_file(out).read_text())
    return (
        f"{method:<11} {rate:>7} {record['parameters']['trained']:>10,} "
        f"{seconds:>11.0f} {added:>9.0f} {scores[0]:>10.3f} {scores[1]:>6.3f}"
    )


if __name__ == "__main__":
    main()
