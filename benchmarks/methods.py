"""Every method of adaptation on the same small split, as a table.

    python benchmarks/methods.py --out RUNS
    python benchmarks/methods.py --out RUNS --sets gb1 yeast --methods ia3 vera \\
        --learning-rates 3e-3 1e-2

Each set is a few hundred rows drawn with a fixed seed (`SETS`), `mini`. Without --learning-rates
each method has its own. Needs PEFTIDE_DATA (docs/data.md). Runs that are finished in --out are
read, not repeated. Each is a process of its own: so its peak memory is.
"""

import argparse
import json
import multiprocessing
import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from peftide import TrainConfig, train
from peftide.adapters import ADAPTERS
from peftide.workflows.setting import for_method


@dataclass(frozen=True)
class Set:
    """A real data set, and how much of it is used.

    Attributes
    ----------
    table
        File under PEFTIDE_DATA.
    rows
        Rows drawn of each part.
    options
        What `TrainConfig` is told besides.
    """

    table: str
    rows: Mapping[str, int]
    options: Mapping[str, Any]


SETS = {
    # the first 56 residues hold all differences between the variants
    "gb1": Set(
        "tasks/gb1/data.tsv.xz",
        {"train": 400, "validation": 150, "test": 500},
        {
            "task": "regression",
            "label_column": "target",
            "split_column": "three_vs_rest",
            "max_length": 56,
            "epochs": 4,
            "batch_size": 32,
        },
    ),
    # proteins of partition 1 that no training pair has
    "yeast": Set(
        "ppi_yeast/du_0_to_1.tsv",
        {"train": 500, "test": 600},
        {
            "task": "ppi",
            "sequences": "ppi_yeast/sequences.fasta",
            "validation_fraction": 0.2,
            "max_length": 100,
            "epochs": 2,
            "batch_size": 32,
        },
    ),
    "secondary_structure": Set(
        "tasks/secondary_structure/data.tsv.xz",
        {"train": 250, "validation": 60, "test": 364},
        {"task": "residue", "max_length": 100, "epochs": 3, "batch_size": 8},
    ),
}


def main() -> None:
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    print(
        f"{'set':<19} {'method':<10} {'rate':>6} {'trained':>9} {'CPU s':>5} {'added MB':>8} "
        f"{'validation':>10} {'test':>6} {'95 % interval':>16}"
    )
    for name in options.sets:
        table = write_table(SETS[name], options.out / f"{name}.tsv")
        for method in options.methods:
            for rate in options.learning_rates or [ADAPTERS[method].learning_rate]:
                out = options.out / f"{name}_{Path(options.backbone).name}_{method}_{rate:g}"
                run(config_of(SETS[name], table, out, options), method, rate)
                print(f"{name:<19} {method:<10} {rate:>6g} {line(out)}", flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--methods", nargs="+", choices=ADAPTERS, default=list(ADAPTERS))
    parser.add_argument("--learning-rates", nargs="+", type=float)
    parser.add_argument("--backbone", default="mini")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def data(name: str) -> Path:
    """Return a file of the data folder."""
    return Path(os.environ["PEFTIDE_DATA"]) / name


def write_table(chosen: Set, path: Path) -> Path:
    """Write the rows to train and score on; they are the same every time."""
    rows = pd.read_csv(data(chosen.table), sep="\t", dtype=str)
    if "id_a" in rows:
        rows = rows.loc[rows["id_a"] != rows["id_b"]]
    column = chosen.options.get("split_column", "split")
    rows = rows.assign(**{column: rows[column].replace("valid", "validation")})
    drawn = [
        rows.loc[rows[column] == name].sample(n, random_state=0) for name, n in chosen.rows.items()
    ]
    pd.concat(drawn).to_csv(path, sep="\t", index=False)
    return path


def config_of(chosen: Set, table: Path, out: Path, options: argparse.Namespace) -> TrainConfig:
    """Return the training of a set, by the default method."""
    settings = dict(chosen.options)
    if "sequences" in settings:
        settings["sequences"] = data(settings["sequences"])
    return TrainConfig(
        data=table,
        out=out,
        backbone=options.backbone,
        threads=options.threads,
        resume=True,
        checkpoint_minutes=60.0,
        **settings,
    )


def run(config: TrainConfig, method: str, rate: float) -> None:
    """Train one model in a process of its own; a finished run is left as it is."""
    if (config.out / "metrics.json").is_file() and cpu_file(config.out).is_file():
        return
    config = replace(for_method(config, method), learning_rate=rate)
    before = cpu_seconds()
    process = multiprocessing.get_context("spawn").Process(target=train, args=(config,))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(process.exitcode)
    cpu_file(config.out).write_text(str(cpu_seconds() - before))


def cpu_seconds() -> float:
    """Return the CPU seconds of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cpu_file(out: Path) -> Path:
    """Where the CPU seconds of a run stand; on a busy machine they say more than the clock."""
    return out.with_name(f"{out.name}.cpu_seconds")


def line(out: Path) -> str:
    """Return trained parameters, CPU seconds, added memory and scores of a finished run."""
    metrics = json.loads((out / "metrics.json").read_text())
    record = json.loads((out / "run.json").read_text())
    parts, headline = metrics["splits"], metrics["headline"]
    test = parts["test"][headline]
    added = (record["peak_memory_bytes"] - record["memory_before_bytes"]) / 1e6
    interval = f"[{test['low']:.3f}, {test['high']:.3f}]"
    return (
        f"{record['parameters']['trained']:>9,} {float(cpu_file(out).read_text()):>5.0f} "
        f"{added:>8.0f} {parts['validation'][headline]['value']:>10.3f} {test['value']:>6.3f} "
        f"{interval:>16}"
    )


if __name__ == "__main__":
    main()
