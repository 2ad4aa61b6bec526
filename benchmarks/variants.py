"""Variants of one protein: the task `variants` beside the baselines that know sites.

    python benchmarks/variants.py --sets scans --out RUNS
    python benchmarks/variants.py --sets gb1 dms stability simulated --out RUNS
    python benchmarks/variants.py --sets scans --methods head lora full --backbone mini --out RUNS

Needs PEFTIDE_DATA (docs/results/data.md). Spearman correlation on test; of single substitutions,
whole sites are resampled, and a model is not judged against a baseline on fewer than 10. Trainings
that are finished in --out are read, not repeated, and an interrupted one goes on.

`scans`: eight scans of single substitutions. `random`: the split column of the scan. `position`:
all variants of a tenth of the positions are test, those of another tenth validation. `stability`:
the 17 designs of the test part that have all single substitutions, split in the same two ways.
`gb1`: two published splits. `dms`: 170 variants, each tested once, in five folds. `simulated`:
2,000 variants with 1 to 4 substitutions at 12 sites, effects of sites and of pairs, and noise; test
is a fifth.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from recording import add_record_option, write_record

import peftide
from peftide.baselines import BASELINES
from peftide.metrics import difference_verdict
from peftide.sequences.fasta import read_fasta
from peftide.sequences.mutants import LETTERS
from peftide.sequences.variants import changes_between, mutant_name
from peftide.similarity.reference import consensus, identical

SCANS = (
    *("SUMO1_HUMAN_Weile_2017", "PABP_YEAST_Melamed_2013", "RASH_HUMAN_Bandaru_2017"),
    *("DLG4_RAT_McLaughlin_2012", "SRC_HUMAN_Ahler_CD_2019", "AMIE_PSEAE_Wrenbeck_2017"),
    *("PTEN_HUMAN_Mighell_2018", "P53_HUMAN_Giacomelli_WT_Nutlin_2018"),
)
SPLITS = ("random", "position")
PARTS = {9: "test", 8: "validation"}
KNOW_SITES = tuple(
    name for name in ("sites", "site_pairs", "neighbours", "zero_shot") if name in BASELINES
)
FOLDS = 5
SIMULATED = 2_000
VARYING = 12
ALONE = ("stability", "dms", "simulated")
"""Sets of which only the mean is shown."""
WORDS = {"above": "better", "below": "worse"}
JOINED = {"better": "than", "as good": "as", "worse": "than", "not judged": "against"}


@dataclass(frozen=True)
class Case:
    """One training.

    Attributes
    ----------
    set, split
        As in the columns of the table.
    name
        Name of the protein or fold.
    table
        Columns mutant, label and split.
    wild_type
        Sequence.
    """

    set: str
    split: str
    name: str
    table: pd.DataFrame
    wild_type: str


def main() -> None:
    """Print one row per case, and the mean of each set and split."""
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    cases = [
        case
        for name in options.sets
        for case in SETS[name]()
        if (not options.only or case.name.startswith(tuple(options.only)))
        and (case.split in options.splits or case.split not in SPLITS)
    ]
    found: dict[tuple[str, str], list[dict[str, dict[str, Any]]]] = {}
    columns = ("scan", "split", *options.methods, *KNOW_SITES, f"{options.methods[0]} is", "CPU s")
    rows = []
    for case in cases:
        results = {method: measured(case, method, options) for method in options.methods}
        found.setdefault((case.set, case.split), []).append(results)
        if case.set not in ALONE:
            rows.append([case.name.split("_")[0], case.split, *cells(list(results.values()))])
    for (name, split), several in found.items():
        if len(several) > 1:
            means = [mean([each[method] for each in several]) for method in options.methods]
            rows.append([f"{name}, mean of {len(several)}", split, *cells(means)])
    print(f"| {' | '.join(columns)} |")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    write_record(options.record, columns, rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=["scans"])
    parser.add_argument("--only", nargs="*", default=[], help="names that begin so")
    parser.add_argument("--splits", nargs="+", choices=SPLITS, default=list(SPLITS))
    parser.add_argument("--methods", nargs="+", default=["head"])
    parser.add_argument("--backbone", default="unirep")
    parser.add_argument("--epochs", type=int, default=4, help="of methods that train the backbone")
    parser.add_argument("--out", type=Path, required=True)
    add_record_option(parser)
    return parser.parse_args()


def measured(case: Case, method: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return the scores of a training; the baselines stand beside the first method only."""
    words = (case.set, case.name.split("_")[0], case.split, options.backbone, method)
    name = "_".join(words).replace(" ", "_")
    record = options.out / f"{name}.json"
    if record.is_file():
        return json.loads(record.read_text())
    first = method == options.methods[0]
    table = options.out / f"{name}.tsv"
    case.table.to_csv(table, sep="\t", index=False)
    training: dict[str, Any] = {} if method == "head" else {"epochs": options.epochs}
    config = peftide.TrainConfig(
        task="variants",
        data=table,
        wild_type=case.wild_type,
        backbone=options.backbone,
        method=method,
        baselines=KNOW_SITES if first else ("none",),
        threads=1,
        out=options.out / name,
        resume=True,
        **training,
    )
    started = time.process_time()
    metrics = peftide.train(config).metrics
    result = scores_of(metrics) | {"cpu": time.process_time() - started}
    print(name, json.dumps(result), file=sys.stderr, flush=True)
    record.write_text(json.dumps(result) + "\n", encoding="utf-8")
    shutil.rmtree(config.out)
    return result


def scores_of(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the score of the model, those of the baselines, and how they compare."""
    own = metrics["splits"]["test"]["spearman"]
    others = {
        name: parts["test"]["spearman"]["value"]
        for name, parts in metrics["baselines"].items()
        if parts["test"]["spearman"].get("value") is not None
    }
    result = {"model": own["value"], "low": own["low"], "high": own["high"], "baselines": others}
    if others:
        best = max(others, key=others.__getitem__)
        difference = metrics["differences"][best]["test"]["spearman"]
        is_judged = difference.get("low") is not None  # too few sites give no interval
        said = WORDS.get(difference_verdict(difference), "as good") if is_judged else "not judged"
        result |= {"best": best, "verdict": said}
    return result


def mean(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the means over cases, and the number of cases with each verdict."""
    every = {name: [r["baselines"].get(name) for r in results] for name in KNOW_SITES}
    whole = {name: float(np.mean(v)) for name, v in every.items() if None not in v}
    verdicts = [r["verdict"] for r in results if "verdict" in r]
    words = [*JOINED] if "not judged" in verdicts else [*JOINED][:-1]
    counts = [f"{verdicts.count(word)} {word}" for word in words]
    return {
        "model": float(np.mean([r["model"] for r in results])),
        "baselines": whole,
        "verdict": ", ".join(counts) if verdicts else "",
        "cpu": float(np.mean([r["cpu"] for r in results])),
    }


def cells(results: list[dict[str, Any]]) -> list[str]:
    """Return the cells of a row after its names."""
    first = results[0]
    models = [f"{r['model']:.3f}{interval(r)}" for r in results]
    others = [first["baselines"].get(name) for name in KNOW_SITES]
    shown = ["–" if value is None else f"{value:.3f}" for value in others]
    verdict = first.get("verdict", "")
    if "best" in first:
        verdict += f" {JOINED[verdict]} {first['best']}"
    return [*models, *shown, verdict, ", ".join(f"{r['cpu']:.0f}" for r in results)]


def interval(result: dict[str, Any]) -> str:
    """Return the interval of a score, if it has one."""
    if result.get("low") is None:
        return ""
    return f" [{result['low']:.3f}, {result['high']:.3f}]"


def data(name: str) -> Path:
    """Return a file of the data folder."""
    return Path(os.environ["PEFTIDE_DATA"]) / "tasks" / name


def scans() -> Iterator[Case]:
    """Yield the eight scans, each with both splits."""
    proteins, _ = read_fasta(data("scans/wild_types.fasta"))
    sequences = dict(zip(proteins.ids, proteins.sequences, strict=True))
    for name in SCANS:
        table = pd.read_csv(data(f"scans/{name}.tsv.xz"), sep="\t")
        yield Case("scans", "random", name, table, sequences[name])
        yield Case("scans", "position", name, by_position(table), sequences[name])


def by_position(table: pd.DataFrame, *, protein: str = "") -> pd.DataFrame:
    """Return single substitutions, with whole positions in test and in validation."""
    return table.assign(split=[part_of(f"{protein}p{m[1:-1]}") for m in table["mutant"]])


def part_of(text: str) -> str:
    """Return the part of a position or mutant, by its hash."""
    return PARTS.get(int(hashlib.md5(text.encode()).hexdigest(), 16) % 10, "train")


def gb1() -> Iterator[Case]:
    """Yield two published splits of GB1; its first row is the wild type."""
    table = pd.read_csv(data("gb1/data.tsv.xz"), sep="\t").rename(columns={"target": "label"})
    wild_type = table["sequence"][0]
    named = table.assign(mutant=names_of(table["sequence"], wild_type))
    for split in ("two_vs_rest", "three_vs_rest"):
        parts = named[split].replace("valid", "validation")
        yield Case("gb1", split, "GB1", named[["mutant", "label"]].assign(split=parts), wild_type)


def names_of(sequences: pd.Series, wild_type: str) -> list[str]:
    """Return the name of each mutant."""
    return [mutant_name(changes_between(wild_type, sequence)) for sequence in sequences]


def dms() -> Iterator[Case]:
    """Yield five folds of a small scan; the wild type is the commonest residue of each site."""
    table = pd.read_csv(data("dms/B2L11_HUMAN_Dutta_2010_binding-Mcl-1.tsv.xz"), sep="\t")
    wild_type = consensus(table["mutated_sequence"].tolist())
    table = table[["mutant", "DMS_score"]].rename(columns={"DMS_score": "label"})
    folds = np.random.default_rng(0).permutation(len(table)) % FOLDS
    for fold in range(FOLDS):
        parts = np.where(folds == fold, "test", "train")
        yield Case("dms", "five folds", f"fold {fold + 1}", table.assign(split=parts), wild_type)


def stability() -> Iterator[Case]:
    """Yield each design whose single substitutions were all measured, with both splits."""
    table = pd.read_csv(data("stability/data.tsv.xz"), sep="\t")
    rest = table[table["split"] == "test"].drop_duplicates("sequence")
    number = 0
    while len(rest):
        first = rest["sequence"].iloc[0]
        alike = rest[rest["sequence"].str.len() == len(first)]["sequence"].tolist()
        near = identical(alike, first) >= len(first) - 2
        wild_type = consensus([s for s, is_near in zip(alike, near, strict=True) if is_near])
        own = identical(alike, wild_type) == len(wild_type) - 1
        family = {s for s, is_own in zip(alike, own, strict=True) if is_own}
        scan = rest[rest["sequence"].isin(family)].rename(columns={"target": "label"})
        rest = rest[~rest["sequence"].isin({*family, wild_type, first})]
        if len(scan) > 10 * len(wild_type):
            number += 1
            named = scan[["label"]].assign(mutant=names_of(scan["sequence"], wild_type))
            parts = [part_of(mutant) for mutant in named["mutant"]]
            name = f"design {number}"
            yield Case("stability", "random", name, named.assign(split=parts), wild_type)
            yield Case("stability", "position", name, by_position(named, protein=name), wild_type)


def simulated() -> Iterator[Case]:
    """Yield three simulated scans: additive effects, effects of pairs, and noise."""
    for seed in range(3):
        generator = np.random.default_rng(seed)
        wild_type = "".join(generator.choice([*LETTERS], size=60))
        sites = np.sort(generator.choice(60, size=VARYING, replace=False))
        single = generator.normal(size=(VARYING, 20))
        pairs = 0.5 * generator.normal(size=(VARYING, VARYING, 20, 20))
        rows: dict[str, float] = {}
        while len(rows) < SIMULATED:
            count = int(generator.integers(1, 5))
            chosen = np.sort(generator.choice(VARYING, size=count, replace=False))
            new = generator.integers(0, 20, size=count)
            if any(LETTERS[b] == wild_type[sites[a]] for a, b in zip(chosen, new, strict=True)):
                continue
            value = float(single[chosen, new].sum()) + float(generator.normal(scale=0.5))
            value += sum(
                pairs[chosen[i], chosen[j], new[i], new[j]]
                for i, j in combinations(range(count), 2)
            )
            named = [
                f"{wild_type[sites[a]]}{sites[a] + 1}{LETTERS[b]}"
                for a, b in zip(chosen, new, strict=True)
            ]
            rows[":".join(named)] = value
        table = pd.DataFrame({"mutant": list(rows), "label": list(rows.values())})
        order = generator.permutation(len(table))
        parts = np.select([order % 5 == 4, order % 10 == 3], ["test", "validation"], "train")
        yield Case("simulated", "a fifth", f"seed {seed}", table.assign(split=parts), wild_type)


SETS = {
    "scans": scans,
    "gb1": gb1,
    "dms": dms,
    "stability": stability,
    "simulated": simulated,
}


if __name__ == "__main__":
    main()
