"""Logits of every part → scores beside the baseline, and the prediction table."""

from typing import Any

import numpy as np
import pandas as pd

from peftide.metrics import as_record, best_threshold
from peftide.run_folder import RunFolder
from peftide.types import FloatArray
from peftide.workflows.beside import baseline_answers
from peftide.workflows.setting import Problem, Setting
from peftide.workflows.tables import measure_answers, prediction_table, write_table

FORMAT_VERSION = 1
DEFAULT_CUT = 0.5


def score(setting: Setting, folder: RunFolder) -> dict[str, Any]:
    """Score validation and every test part beside the baseline; write the predictions."""
    problem = setting.problem
    parts = [part for part in problem.dataset.parts if part != "train"]
    logits = {part: setting.logits(part) for part in parts}
    answers = {part: problem.task.outcome.answers(logits[part], problem.labels) for part in parts}
    baseline, beside = baseline_answers(
        problem.dataset, problem.targets, problem.task, labels=problem.labels
    )
    threshold = choose_threshold(problem, answers["validation"])
    cut = DEFAULT_CUT if threshold is None else threshold
    tables = [_part_table(problem, part, logits[part], threshold=cut) for part in parts]
    write_table(_reported(tables, parts), folder.predictions)
    return {
        "format_version": FORMAT_VERSION,
        "headline": problem.task.outcome.headline,
        "threshold": threshold,
        "splits": part_scores(problem, answers),
        "baselines": {baseline: part_scores(problem, beside)},
    }


def part_scores(problem: Problem, answers: dict[str, FloatArray]) -> dict[str, Any]:
    """Return the metrics of every part; decisions are taken as validation says."""
    threshold = choose_threshold(problem, answers["validation"])
    scores = {}
    for part, given in answers.items():
        targets = problem.targets[part]
        metrics = measure_answers(
            problem.task,
            targets,
            given,
            labels=problem.labels,
            threshold=DEFAULT_CUT if threshold is None else threshold,
        )
        scores[part] = as_record(metrics, int(targets.counted.sum()))
    return scores


def choose_threshold(problem: Problem, answers: FloatArray) -> float | None:
    """Return the probability from which on yes is predicted: the best MCC on validation."""
    if problem.task.outcome.kind != "binary":
        return None
    targets = problem.targets["validation"]
    labels = targets.values[targets.counted][:, 0].astype(np.int64)
    return best_threshold(labels, answers[targets.counted])


def _part_table(
    problem: Problem, part: str, logits: FloatArray, *, threshold: float
) -> pd.DataFrame:
    columns = problem.task.outcome.columns(logits, problem.labels, threshold=threshold)
    return prediction_table(
        problem.dataset.parts[part],
        problem.dataset.proteins,
        task=problem.task,
        answers=columns,
        residues=np.diff(problem.targets[part].offsets),
    )


def _reported(tables: list[pd.DataFrame], parts: list[str]) -> pd.DataFrame:
    """Put the test parts below each other, or take validation if there is no test."""
    chosen = [part for part in parts if part != "validation"] or ["validation"]
    named = zip(parts, tables, strict=True)
    return pd.concat([table.assign(split=part) for part, table in named if part in chosen])
