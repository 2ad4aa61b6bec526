"""Variants of one protein: the task's default beside the baselines that know sites.

    python benchmarks/variants.py [--only SUMO1 RASH …] [--splits random position] [--record FILE]

Needs PEFTIDE_DATA (docs/results/data.md). Spearman correlation on test, of eight scans of single
substitutions. `random`: the split column of the scan. `position`: all variants of a tenth of the
positions are test, those of another tenth validation.
"""

import argparse
import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from recording import add_record_option, write_record

import peftide

SCANS = (
    *("SUMO1_HUMAN_Weile_2017", "P53_HUMAN_Giacomelli_WT_Nutlin_2018", "PTEN_HUMAN_Mighell_2018"),
    *("RASH_HUMAN_Bandaru_2017", "DLG4_RAT_McLaughlin_2012", "AMIE_PSEAE_Wrenbeck_2017"),
    *("SRC_HUMAN_Ahler_CD_2019", "PABP_YEAST_Melamed_2013"),
)
BASELINES = ("sites",)
PARTS = {9: "test", 8: "validation"}


def main() -> None:
    """Print one row per scan and split, and the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--splits", nargs="*", default=["random", "position"])
    parser.add_argument("--backbone", default="unirep")
    parser.add_argument("--method", default="head")
    add_record_option(parser)
    options = parser.parse_args()
    names = [name for name in SCANS if not options.only or name.startswith(tuple(options.only))]
    columns = ("scan", "split", "model", *BASELINES, "CPU s")
    rows = []
    for split in options.splits:
        found = [measure(name, split, options.backbone, method=options.method) for name in names]
        means = ["mean", split, *(f"{value:.3f}" for value in np.mean(found, axis=0)[:-1]), ""]
        for name, values in zip(names, found, strict=True):
            scores = (f"{value:.3f}" for value in values[:-1])
            rows.append([name.split("_")[0], split, *scores, f"{values[-1]:.0f}"])
        rows.append(means)
    print(f"| {' | '.join(columns)} |")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    write_record(options.record, columns, rows)


def measure(name: str, split: str, backbone: str, *, method: str) -> list[float]:
    """Return the scores of the model and of the baselines, and the CPU time of the whole call."""
    folder = Path(os.environ["PEFTIDE_DATA"]) / "tasks" / "scans"
    table = pd.read_csv(folder / f"{name}.tsv.xz", sep="\t")
    if split == "position":
        table["split"] = [part_of(mutant[1:-1]) for mutant in table["mutant"]]
    started = time.process_time()
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "scan.tsv"
        table.to_csv(path, sep="\t", index=False)
        config = peftide.TrainConfig(
            task="variants",
            data=path,
            sequences=folder / "wild_types.fasta",
            wild_type=name,
            backbone=backbone,
            method=method,
            baselines=BASELINES,
            threads=1,
            out=Path(place) / "run",
        )
        result = peftide.train(config)
        scores = result.metrics["splits"]["test"]["spearman"]["value"]
        others = result.metrics["baselines"]
        beside = [others[name]["test"]["spearman"]["value"] for name in BASELINES if name in others]
    row = [scores, *beside, time.process_time() - started]
    print(name, split, *(f"{value:.3f}" for value in row), file=sys.stderr, flush=True)
    return row


def part_of(position: str) -> str:
    """Return the part of a position, by its hash."""
    number = int(hashlib.md5(f"p{position}".encode()).hexdigest(), 16) % 10
    return PARTS.get(number, "train")


if __name__ == "__main__":
    main()
