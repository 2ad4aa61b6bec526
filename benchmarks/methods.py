"""Every method of adaptation on the same small split, as a table.

    python benchmarks/methods.py --out RUNS
    python benchmarks/methods.py --out RUNS --sets gb1 yeast --methods ia3 vera \\
        --learning-rates 3e-3 1e-2

Each set is a few hundred rows drawn with a fixed seed (`SETS`), `mini`. Without --learning-rates
each method has its own. Needs PEFTIDE_DATA (docs/results/data.md). Runs that are finished in --out
are read, not repeated. Beside what each run needed stands what `peftide plan` forecast: CPU seconds
of the whole command, and the highest memory of its process without the files it has mapped.
"""

import argparse
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from plan import run
from recording import add_record_option, write_record

from peftide import TrainConfig
from peftide.adapters import ADAPTERS
from peftide.config import to_yaml
from peftide.training.options import for_method


@dataclass(frozen=True)
class Set:
    """A real data set, and how much of it is used.

    Attributes
    ----------
    tables
        Files under PEFTIDE_DATA, joined by spaces.
    rows
        Rows drawn of each part.
    options
        What `TrainConfig` is told besides.
    by_protein
        Draw this many proteins of each part instead, and take all pairs among them.
    """

    tables: str
    rows: Mapping[str, int]
    options: Mapping[str, Any]
    by_protein: bool = False


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


COLUMNS = ("set", "method", "rate", "trained", "CPU s: plan, run", "memory, MB: plan, run")
COLUMNS += ("validation", "test", "95 % interval")


def main() -> None:
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    print(
        f"{'':<37} {'':>9} {'CPU seconds':^17} {'memory, MB':^17}\n"
        f"{'set':<19} {'method':<10} {'rate':>6} {'trained':>9} {'plan':>6} {'run':>5} {'':>5} "
        f"{'plan':>6} {'run':>5} {'':>5} {'validation':>10} {'test':>6} 95 % interval"
    )
    rows = []
    for name in options.sets:
        table = write_table(SETS[name], options.out / f"{name}.tsv")
        for method in options.methods:
            for rate in options.learning_rates or [ADAPTERS[method].learning_rate]:
                out = options.out / f"{name}_{Path(options.backbone).name}_{method}_{rate:g}"
                config = replace(config_of(SETS[name], table, out, options), learning_rate=rate)
                found = measured(for_method(config, method))
                print(f"{name:<19} {method:<10} {rate:>6g} {line(found)}", flush=True)
                rows.append([name, method, f"{rate:g}", *cells(found)])
    write_record(options.record, COLUMNS, rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--methods", nargs="+", choices=ADAPTERS, default=list(ADAPTERS))
    parser.add_argument("--learning-rates", nargs="+", type=float)
    parser.add_argument("--backbone", default="mini")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    add_record_option(parser)
    return parser.parse_args()


def data(name: str) -> Path:
    """Return a file of the data folder."""
    return Path(os.environ["PEFTIDE_DATA"]) / name


def write_table(chosen: Set, path: Path) -> Path:
    """Write the rows to train and score on; they are the same every time."""
    tables = [pd.read_csv(data(name), sep="\t", dtype=str) for name in chosen.tables.split()]
    rows = pd.concat(tables, ignore_index=True)
    if "id_a" in rows:
        rows = rows.loc[rows["id_a"] != rows["id_b"]]
    column = chosen.options.get("split_column", "split")
    rows = rows.assign(**{column: rows[column].replace("valid", "validation")})
    draw = _pairs_among if chosen.by_protein else _sample
    drawn = [draw(rows.loc[rows[column] == name], n) for name, n in chosen.rows.items()]
    pd.concat(drawn).to_csv(path, sep="\t", index=False)
    return path


def _sample(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    return rows.sample(count, random_state=0)


def _pairs_among(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    pairs = rows[["id_a", "id_b"]]
    proteins = np.unique(pairs.to_numpy(dtype=str))
    drawn = np.random.default_rng(0).choice(proteins, count, replace=False)
    return rows.loc[pairs.isin(drawn).all(axis=1)]


def settings_of(chosen: Set) -> dict[str, Any]:
    """Return the options of a set, with the path of its sequences."""
    settings = dict(chosen.options)
    if "sequences" in settings:
        settings["sequences"] = data(settings["sequences"])
    return settings


def config_of(chosen: Set, table: Path, out: Path, options: argparse.Namespace) -> TrainConfig:
    """Return the training of a set, by the default method."""
    return TrainConfig(
        data=table,
        out=out,
        backbone=options.backbone,
        threads=options.threads,
        resume=True,
        checkpoint_minutes=60.0,
        **settings_of(chosen),
    )


def measured(config: TrainConfig) -> dict[str, Any]:
    """Plan and train one model by the command line; a finished one is read."""
    record = config.out.with_name(f"{config.out.name}.json")
    if record.is_file():
        return json.loads(record.read_text())
    options = config.out.with_name(f"{config.out.name}.yaml")
    options.write_text(to_yaml(config))
    words = ["--config", str(options)]
    plan = run(["plan", *words, "--json"])["output"]
    ran = run(["train", *words])
    found = {
        "plan": json.loads(plan),
        "run": ran,
        "metrics": json.loads((config.out / "metrics.json").read_text()),
        "trained": json.loads((config.out / "run.json").read_text())["parameters"]["trained"],
    }
    record.write_text(json.dumps(found))
    return found


def line(found: dict[str, Any]) -> str:
    """Return trained parameters, CPU seconds and memory (forecast, measured), and scores."""
    costs = "".join(
        f"{said:>6.0f} {was:>5.0f} {said / was - 1:>+5.0%} " for said, was in used(found)
    )
    validation, test = headline(found)
    return (
        f"{found['trained']:>9,} {costs}{validation['value']:>10.3f} "
        f"{test['value']:>6.3f} [{test['low']:.3f}, {test['high']:.3f}]"
    )


def cells(found: dict[str, Any]) -> list[str]:
    """Return the same for the record."""
    costs = [f"{said:.0f}, {was:.0f} ({said / was - 1:+.0%})" for said, was in used(found)]
    validation, test = headline(found)
    interval = f"[{test['low']:.3f}, {test['high']:.3f}]"
    scores = [f"{validation['value']:.3f}", f"{test['value']:.3f}", interval]
    return [f"{found['trained']:,}", *costs, *scores]


def used(found: dict[str, Any]) -> list[tuple[float, float]]:
    """Return CPU seconds and memory in MB, each as forecast and as measured."""
    plan, ran = found["plan"], found["run"]
    return [
        (plan["cpu_seconds"]["total"], ran["cpu_seconds"]),
        (plan["memory"]["peak"] / 1e6, ran["peak_bytes"] / 1e6),
    ]


def headline(found: dict[str, Any]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the headline score of validation and test."""
    metrics = found["metrics"]
    validation, test = (metrics["splits"][part] for part in ("validation", "test"))
    return validation[metrics["headline"]], test[metrics["headline"]]


if __name__ == "__main__":
    main()
