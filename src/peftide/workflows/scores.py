"""Logits of every part → scores beside the baseline, and the prediction table."""

from typing import Any

import numpy as np
import pandas as pd

from peftide.metrics import as_record, best_threshold
from peftide.run_folder import RunFolder
from peftide.types import FloatArray
from peftide.workflows.beside import baseline_answers
from peftide.workflows.setting import Problem, Setting
from peftide.workflows.tables import measure, measure_answers, prediction_table, write_table

FORMAT_VERSION = 1
DEFAULT_CUT = 0.5


def score(setting: Setting, folder: RunFolder) -> dict[str, Any]:
    """Score validation and every test part beside the baseline; write the predictions."""
    problem = setting.problem
    parts = [part for part in problem.dataset.parts if part != "train"]
    logits = {part: setting.logits(part) for part in parts}
    threshold = choose_threshold(problem, logits["validation"])
    baseline, answers = baseline_answers(
        problem.dataset, problem.targets, problem.task, labels=problem.labels
    )
    splits, beside, tables = {}, {}, []
    for part in parts:
        targets, cut = problem.targets[part], DEFAULT_CUT if threshold is None else threshold
        count = int(targets.counted.sum())
        labels = problem.labels
        scores = measure(problem.task, targets, logits[part], labels=labels, threshold=cut)
        splits[part] = as_record(scores, count)
        scores = measure_answers(
            problem.task, targets, answers[part], labels=labels, threshold=DEFAULT_CUT
        )
        beside[part] = as_record(scores, count)
        tables.append(_part_table(problem, part, logits[part], threshold=cut))
    write_table(_reported(tables, parts), folder.predictions)
    return {
        "format_version": FORMAT_VERSION,
        "headline": problem.task.outcome.headline,
        "threshold": threshold,
        "splits": splits,
        "baselines": {baseline: beside},
    }


def choose_threshold(problem: Problem, logits: FloatArray) -> float | None:
    """Return the probability from which on yes is predicted: the best MCC on validation."""
    if problem.task.outcome.kind != "binary":
        return None
    targets = problem.targets["validation"]
    answers = problem.task.outcome.answers(logits, problem.labels)
    return best_threshold(
        targets.values[targets.counted][:, 0].astype(np.int64), answers[targets.counted]
    )


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
