"""Do block batches learn as well as pair batches? The same labelled pairs seen, several seeds.

    python benchmarks/block_quality.py yeast gold --out RUNS
    python benchmarks/block_quality.py gold --method head --arms pairs blocks:blocks=4 --out RUNS

LoRA (or another --method) as peftide does it by default on `mini`, for a fixed number of epochs, so
that every arm sees the same labelled pairs. An arm is `pairs` or `blocks` (the sampler), maybe with
other options of `peftide train` after a colon. Every difference is to the first arm.

yeast   `du_0_to_1`, its train pairs without self-pairs; validation: pairs of held-out proteins
gold    the first 20,000 train pairs among a fixed draw of 1,600 proteins of the human gold
        standard; validation: all pairs of its validation part among 1,600 of that part's proteins

No validation protein occurs in train. Needs PEFTIDE_DATA (docs/results/data.md). Runs that are
finished in --out are read, not repeated, and an interrupted one goes on. Scores are those of the
best validation epoch, as peftide keeps it; those of the last epoch stand beside them. The interval
is that of `peftide.compare_scores`: proteins are resampled, seeds averaged inside each resample.
"""

import argparse
import json
import logging
import os
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from recording import add_record_option, write_record

import peftide
from peftide.adapters import ADAPTERS
from peftide.config import from_mapping
from peftide.hardware import choose_hardware
from peftide.run_folder import open_run
from peftide.sequences.training_tables import data_files
from peftide.tasks import TASKS
from peftide.training.fitting import build_fitting
from peftide.training.loop import fit
from peftide.training.setting import build_setting, prepare

GOLD_PROTEINS, GOLD_PAIRS = 1_600, 20_000
HELD_OUT = 0.4  # of the yeast proteins
IDS = ["id_a", "id_b"]
COLUMNS = ("set", "arm", "steps", "CPU s", "best epoch", "each seed", "last epoch", "difference")


def main() -> None:
    options = parse()
    logging.basicConfig(level=logging.ERROR)
    rows = []
    for name in options.sets:
        tables = write_tables(name, options.out)
        sizes = {part: len(pd.read_csv(path, sep="\t")) for part, path in tables.items()}
        print(
            f"\n{name}: {sizes['train']:,} train pairs, {sizes['validation']:,} validation pairs, "
            f"{options.method}, {options.epochs} epochs, at most {options.max_length} residues, "
            f"{options.seeds} seeds",
            flush=True,
        )
        found: dict[str, list[Path]] = {arm: [] for arm in options.arms}
        for seed in range(options.seeds):
            for arm, runs in found.items():
                runs.append(run(name, arm, seed, options))
                print(f"  {arm} seed {seed}: {course(runs[-1])}", file=sys.stderr, flush=True)
        print(
            f"{'arm':<28} {'steps':>6} {'CPU s':>6}  best epoch: mean (each), last epoch, "
            "difference to the first arm [95 % interval]"
        )
        for arm in found:
            shown = cells(arm, found, tables["validation"])
            print("{:<28} {:>6} {:>6}  {} ({}), {}, {}".format(*shown), flush=True)
            rows.append([name, *shown])
    write_record(options.record, COLUMNS, rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", choices=PAIRS)
    parser.add_argument("--arms", nargs="+", default=["pairs", "blocks"])
    parser.add_argument("--method", choices=ADAPTERS, default="lora")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--max-length", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    add_record_option(parser)
    return parser.parse_args()


def write_tables(name: str, out: Path) -> dict[str, Path]:
    """Write the pairs to train and to validate on; they are the same every time."""
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    tables = {}
    for part, pairs in zip(("train", "validation"), PAIRS[name](), strict=True):
        tables[part] = folder / f"{part}.tsv"
        pairs[[*IDS, "label"]].to_csv(tables[part], sep="\t", index=False)
    return tables


def yeast_pairs() -> tuple[pd.DataFrame, pd.DataFrame]:
    table = read("ppi_yeast", "du_0_to_1.tsv")
    table = table[(table["split"] == "train") & (table["id_a"] != table["id_b"])]
    proteins = np.unique(table[IDS])
    held = draw(proteins, round(HELD_OUT * len(proteins)))
    inside = table[IDS].isin(held).sum(axis=1)
    return table[inside == 0], table[inside == 2]


def gold_pairs() -> tuple[pd.DataFrame, pd.DataFrame]:
    parts = []
    for part in ("train", "valid"):
        table = read("ppi_gold", f"{part}.tsv")
        chosen = draw(np.unique(table[IDS]), GOLD_PROTEINS)
        parts.append(table[table[IDS].isin(chosen).all(axis=1)])
    return parts[0].sample(frac=1, random_state=0).head(GOLD_PAIRS), parts[1]


PAIRS = {"yeast": yeast_pairs, "gold": gold_pairs}


def read(folder: str, name: str) -> pd.DataFrame:
    return pd.read_csv(Path(os.environ["PEFTIDE_DATA"]) / folder / name, sep="\t")


def draw(proteins: np.ndarray, count: int) -> np.ndarray:
    return np.random.default_rng(0).permutation(proteins)[:count]


def run(name: str, arm: str, seed: int, options: argparse.Namespace) -> Path:
    """Train one model and write its validation scores; a finished run is left as it is."""
    label = arm.replace(":", "_").replace("=", "")
    out = (
        options.out
        / name
        / f"{options.method}_{label}_{options.epochs}_{options.max_length}_{seed}"
    )
    if (out / "course.json").is_file():
        return out
    before = cpu_seconds()
    config = config_of(name, arm, seed, options=options, out=out / "run")
    hardware = choose_hardware(config)
    problem, backbone = prepare(config, TASKS["ppi"])
    with open_run(config, data_files(config)) as folder:
        setting = build_setting(config, problem, backbone, hardware=hardware, folder=folder)
        result = fit(setting.model, build_fitting(setting, ADAPTERS[options.method], folder))
    rows = pd.read_csv(config.validation, sep="\t")
    rows[IDS].assign(score=setting.logits("validation")[:, 0]).to_csv(
        out / "scores.tsv", sep="\t", index=False
    )
    course = [row["average_precision"] for row in result.history]
    record = {"steps": result.steps, "cpu_seconds": cpu_seconds() - before, "course": course}
    (out / "course.json").write_text(json.dumps(record))
    return out


def config_of(
    name: str, arm: str, seed: int, *, options: argparse.Namespace, out: Path
) -> peftide.TrainConfig:
    """Return the training of an arm: that of `peftide train`, for a fixed number of epochs."""
    sampler, _, settings = arm.partition(":")
    sequences = Path(os.environ["PEFTIDE_DATA"]) / f"ppi_{name}" / "sequences.fasta"
    values: dict[str, Any] = {
        **{part: str(options.out / name / f"{part}.tsv") for part in ("train", "validation")},
        "task": "ppi",
        "method": options.method,
        "sampler": sampler,
        "seed": seed,
        "sequences": str(sequences),
        "epochs": options.epochs,
        "patience": options.epochs,
        "max_length": options.max_length,
        "threads": options.threads,
        "out": str(out),
        "resume": True,
        "embedding_cache": str(options.out / "trunks"),
    }
    values |= dict(text.split("=", 1) for text in settings.split(",") if text)
    return from_mapping(peftide.TrainConfig, values)


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def course(run: Path) -> str:
    """Return the validation score of every epoch of a run."""
    return " ".join(f"{value:.4f}" for value in record_of(run)["course"])


def record_of(run: Path) -> dict[str, Any]:
    return json.loads((run / "course.json").read_text())


def cells(arm: str, found: dict[str, list[Path]], table: Path) -> list[str]:
    """Return steps, CPU seconds and scores of an arm."""
    records = [record_of(run) for run in found[arm]]
    last = np.mean([record["course"][-1] for record in records])
    used = np.mean([record["cpu_seconds"] for record in records])
    values, difference = scores(arm, found, table)
    each = " ".join(f"{value:.4f}" for value in values)
    costs = [f"{records[0]['steps']:,}", f"{used:.0f}"]
    return [arm, *costs, f"{np.mean(values):.4f}", each, f"{last:.4f}", difference]


def scores(arm: str, found: dict[str, list[Path]], table: Path) -> tuple[list[float], str]:
    """Return the average precision of each seed, and the difference to the first arm."""
    first = next(iter(found))
    files = {
        name: [run / "scores.tsv" for run in found[name]] for name in dict.fromkeys((arm, first))
    }
    compared = peftide.compare_scores(table, files)
    metric = "average_precision"
    seeds = compared["seeds"].get(arm)
    value = compared["scores"][arm][metric]["value"]
    values = seeds[metric]["values"] if seeds else [value]
    if arm == first:
        return values, "–"
    gap = compared["differences"][f"{arm} − {first}"][metric]
    return values, f"{gap['value']:+.4f} [{gap['low']:+.4f}, {gap['high']:+.4f}]"


if __name__ == "__main__":
    main()
