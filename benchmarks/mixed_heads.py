"""Ensembles of heads of one form and of two: `--head mlp,dot --seeds 3` on a frozen backbone.

    python benchmarks/mixed_heads.py yeast gold --out RUNS
    python benchmarks/mixed_heads.py gold --backbone unirep --out RUNS

Each set has one training of three heads `mlp` and three heads `dot`; validation chooses the epoch
of each. Scores are those of single heads and of ensembles, whose prediction is the mean logit. The
score of `one mlp` is the mean over the heads, of `2 mlp` the mean over all ensembles of two, and of
`mlp + dot` the mean over the ensembles of two heads with the same seed. Differences are on test,
with paired 95 % intervals (such scores are averaged inside each resample). Needs PEFTIDE_DATA
(docs/results/data.md). Vectors and answers that are finished in --out are read, not made again.
"""

import argparse
import logging
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from pooling import SETS, config_of, cpu_seconds, difference, fitted
from recording import add_record_option, write_record

from peftide.evaluation.answering import Answering
from peftide.evaluation.comparison import compare_answers
from peftide.evaluation.part_scores import Answers, Resampling
from peftide.hardware import choose_run_hardware
from peftide.heads import Ensemble
from peftide.tasks import TASKS
from peftide.training.problem import Problem
from peftide.training.setting import prepare

METRIC = "average_precision"
COLUMNS = ("Set", "Prediction", "Validation", "Test average precision", "Minus", "Difference")
MINUS = {
    "3 mlp": ("one mlp",),
    "3 dot": ("one dot",),
    "mlp + dot": ("2 mlp", "2 dot"),
    "3 mlp + 3 dot": ("one mlp or dot", "3 mlp", "3 dot"),
}
"""Ensemble → the predictions that it is compared with."""


def main() -> None:
    options = parse()
    logging.basicConfig(level=logging.ERROR)
    rows = []
    for name in options.sets:
        rows += measured(name, options)
    write_record(options.record, COLUMNS, rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", choices=[n for n in SETS if SETS[n]["task"] == "ppi"])
    parser.add_argument("--backbone", default="mini")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, required=True)
    add_record_option(parser)
    options = parser.parse_args()
    return argparse.Namespace(**vars(options), seeds=3, train_rows=None)


def measured(name: str, options: argparse.Namespace) -> list[list[str]]:
    """Train the heads of a set; return the rows of the table."""
    config = config_of(name, options)
    with choose_run_hardware(config).computing():
        problem, _ = prepare(config, TASKS[config.task])
        logits = np.load(trained(name, problem, options))
        found = {part: compared(problem, part, logits[part]) for part in logits}
    table = []
    for one in found["test"]["scores"]:
        values = [found[part]["scores"][one][METRIC]["value"] for part in logits]
        cells = [name, one, *(f"{value:.4f}" for value in values)]
        for other in MINUS.get(one, ("",)):
            gap = difference(found["test"]["differences"], one, other, METRIC) if other else ""
            table.append([*cells, other, gap])
            print(*table[-1], sep=" · ", flush=True)
            cells = ["", "", "", ""]
    return table


def trained(name: str, problem: Problem, options: argparse.Namespace) -> Path:
    """Train the heads; return the file with the logits of each, mlp before dot. Shape (6, R)."""
    out = options.out / f"{name}-{options.backbone}-mixed"
    path = out.with_suffix(".npz")
    if path.is_file():
        return path
    before = cpu_seconds()
    config = replace(
        config_of(name, options, out),
        backbone=options.backbone,
        head="mlp,dot",
        embedding_cache=options.out / "cache",
    )
    setting, _ = fitted(config, problem)
    together = setting.model.head
    assert isinstance(together, Ensemble)
    logits = {"validation": [], "test": []}
    for head in together.members:
        setting.model.head = head
        for part, found in logits.items():
            found.append(setting.logits(part)[:, 0])
    print(f"{name}: six heads, {cpu_seconds() - before:.0f} CPU s", flush=True)
    np.savez(path, validation=np.stack(logits["validation"]), test=np.stack(logits["test"]))
    return path


def compared(problem: Problem, part: str, logits: np.ndarray) -> dict[str, Any]:
    """Return the scores of single heads and of ensembles, and their differences."""
    counted = problem.targets[part].counted
    answering = Answering(problem.task, problem.labels)

    def ensembles(*members: Iterable[int]) -> list[Answers]:
        means = [logits[list(chosen)].mean(axis=0)[counted, None] for chosen in members]
        return [Answers(answering.answers(mean)) for mean in means]

    mlp, dot = (0, 1, 2), (3, 4, 5)
    predictions = {
        "one mlp": ensembles(*zip(mlp, strict=True)),
        "one dot": ensembles(*zip(dot, strict=True)),
        "one mlp or dot": ensembles(*zip(mlp + dot, strict=True)),
        "2 mlp": ensembles(*combinations(mlp, 2)),
        "2 dot": ensembles(*combinations(dot, 2)),
        "mlp + dot": ensembles(*zip(mlp, dot, strict=True)),
        "3 mlp": ensembles(mlp),
        "3 dot": ensembles(dot),
        "3 mlp + 3 dot": ensembles(mlp + dot),
    }
    rows = problem.part(part).rows()
    return compare_answers(rows, predictions, resampling=Resampling(0, 1))


if __name__ == "__main__":
    main()
