"""What needs no language model: every baseline on every public set, fitted on all of train.

    python benchmarks/baselines.py [--only gold yeast_0_to_1 …] [--names composition kmer …]

Needs PEFTIDE_DATA (docs/results/data.md). Scores are on test, in brackets seconds for fitting
and answering. The validation part is not used.
"""

import argparse
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from recording import add_record_option, write_record

from peftide.baselines import BASELINES
from peftide.config import TableOptions
from peftide.evaluation.beside import Beside, fitted_beside, suitable
from peftide.evaluation.decisions import DEFAULT_THRESHOLD
from peftide.evaluation.rows import ScoredPart
from peftide.sequences import Table, read_dataset, read_table, split_by_column
from peftide.tasks import TASKS, Targets, Task
from peftide.tasks.reading import reading_options


@dataclass(frozen=True)
class BenchmarkSet:
    """A labelled set: task, table with all parts (or one per part), and how to read it."""

    task: str
    tables: tuple[str, ...]
    options: dict[str, Any]
    column: str = "split"
    only_source: str = ""


YEAST = {"sequences": "ppi_yeast/sequences.fasta"}
SETS = {
    "gold": BenchmarkSet(
        "ppi",
        ("ppi_gold/train.tsv", "ppi_gold/test.tsv"),
        {"sequences": "ppi_gold/sequences.fasta"},
    ),
    "yeast_0_to_1": BenchmarkSet("ppi", ("ppi_yeast/du_0_to_1.tsv",), YEAST),
    "yeast_0_to_1_with_self_pairs": BenchmarkSet(
        "ppi", ("ppi_yeast/du_0_to_1.tsv",), YEAST | {"self_pairs": "keep"}
    ),
    "yeast_both_to_0": BenchmarkSet("ppi", ("ppi_yeast/du_both_to_0.tsv",), YEAST),
    "yeast_both_to_1": BenchmarkSet("ppi", ("ppi_yeast/du_both_to_1.tsv",), YEAST),
    "symmetry": BenchmarkSet(
        "symmetry", ("symmetry/symmetry.tsv",), {"label_column": "all_labels"}
    ),
    "symmetry_computed": BenchmarkSet(
        "symmetry",
        ("symmetry/symmetry.tsv",),
        {"label_column": "all_labels"},
        only_source="computed_",
    ),
    "stability": BenchmarkSet(
        "regression", ("tasks/stability/data.tsv.xz",), {"label_column": "target"}
    ),
    "gb1_three_vs_rest": BenchmarkSet(
        "regression",
        ("tasks/gb1/data.tsv.xz",),
        {"label_column": "target", "split_column": "three_vs_rest"},
        column="three_vs_rest",
    ),
    "deeploc10": BenchmarkSet("multiclass", ("tasks/deeploc10/data.tsv.xz",), {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=SETS, default=list(SETS), metavar="SET")
    parser.add_argument("--names", nargs="+", choices=BASELINES, default=list(BASELINES))
    add_record_option(parser)
    options, table = parser.parse_args(), []
    print("set", "metric", "train", "test", "guessing", *options.names, sep="\t")
    for name in options.only:
        one, task = SETS[name], TASKS[SETS[name].task]
        parts = read_set(one, task)
        wanted = [baseline for baseline in suitable(task) if baseline in options.names]
        beside = fitted_beside(parts, wanted)
        rows = [f"{int(part.targets.counted.sum()):,}" for part in parts.values()]
        cells = [cell(name, beside, parts["test"]) for name in options.names]
        guess = guessing(task, parts["test"].targets)
        print(name, task.outcome.headline, *rows, guess, *cells, sep="\t", flush=True)
        table.append([name, task.outcome.headline, guess, *cells])
        for note in beside.notes:
            print(f"  note: {note}")
    columns = ["Set", "Metric", "Guessing", *(f"`{name}`" for name in options.names)]
    write_record(options.record, columns, table)


def read_set(one: BenchmarkSet, task: Task) -> dict[str, ScoredPart]:
    """Return train and test with their labels as numbers."""
    folder = Path(os.environ["PEFTIDE_DATA"])
    paths = {key: folder / value for key, value in one.options.items() if key == "sequences"}
    options = TableOptions(**(one.options | paths))
    tables: dict[str, Table] = {}
    for path in one.tables:
        table = read_table(folder / path, options, level=task.level, needs_labels=True)
        if one.only_source:
            source = pd.read_csv(folder / path, sep="\t")["source"].str
            table = table.select(source.startswith(one.only_source).to_numpy())
        tables |= split_by_column(table, column=one.column)
    kept = {part: replace(tables[part], splits=None) for part in ("train", "test")}
    dataset = read_dataset(kept, options, level=task.level)

    def reading(part: str) -> Any:
        return reading_options(dataset, part, max_length=None, class_map=None)

    labels = task.fit_labels(dataset.parts["train"], reading("train"))
    return {
        part: ScoredPart(
            task, labels, dataset, part, task.read_targets(examples, labels, reading(part))
        )
        for part, examples in dataset.parts.items()
    }


def cell(name: str, beside: Beside, test: ScoredPart) -> str:
    if name not in beside.answers:
        return "–"
    outcome, counted = test.task.outcome, test.targets.counted
    scores = outcome.metrics(
        test.targets.values[counted],
        beside.answers[name]["test"][counted],
        test.labels,
        threshold=DEFAULT_THRESHOLD,
    )
    return f"{scores[outcome.headline]:.4f} ({beside.seconds[name]:.1f} s)"


def guessing(task: Task, targets: Targets) -> str:
    """Return what answers score that know nothing."""
    if task.outcome.kind == "continuous":
        return "0.0000"
    shares = np.asarray(targets.values[targets.counted] > 0, dtype=np.float64).mean(axis=0)
    return f"{shares[shares > 0].mean():.4f}"


if __name__ == "__main__":
    main()
