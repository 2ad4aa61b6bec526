"""Logits of every part → calibrated scores beside the baseline, and the prediction table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from peftide.baselines.stored import Stored, save_baselines
from peftide.config import TrainConfig
from peftide.evaluation.answers import answer_columns
from peftide.evaluation.beside import Beside, chosen, fitted_beside, suitable
from peftide.evaluation.calibration import METHODS, Calibration, fit_calibration
from peftide.evaluation.conformal import Conformal, fit_conformal
from peftide.evaluation.homology import remembered_search
from peftide.evaluation.part_scores import (
    MODEL,
    Answers,
    PartScores,
    labelled_rows,
    score_rows,
)
from peftide.evaluation.tables import prediction_table, write_table
from peftide.files import remove
from peftide.metrics import best_threshold
from peftide.run_folder import RunFolder
from peftide.tasks import Task
from peftide.training.setting import Problem, Setting
from peftide.types import FloatArray, IntArray

FORMAT_VERSION = 1
DEFAULT_CUT = 0.5


@dataclass(frozen=True)
class Scored:
    """What validation and the test parts say about a model.

    Attributes
    ----------
    metrics
        Content of `metrics.json`.
    threshold
        Calibrated probability from which on yes is predicted.
    calibration, conformal
        What validation says about the probabilities; numbers have none.
    beside
        The baselines.
    """

    metrics: dict[str, Any]
    threshold: float
    calibration: Calibration
    conformal: Conformal | None
    beside: Beside


def check_calibration(method: str, task: Task) -> list[str]:
    """Return what is wrong about a choice of calibration for a task."""
    possible = METHODS.get(task.outcome.kind, ("none",))
    if method in ("auto", *possible):
        return []
    known = ", ".join(possible)
    return [f"--calibration: received {method}; this task can have: auto, {known}"]


def score(setting: Setting, folder: RunFolder) -> Scored:
    """Calibrate, score validation and test parts beside the baselines; write the predictions.

    What the baselines know is written too, so that they can stand beside later scores.
    """
    parts = [part for part in setting.problem.dataset.parts if part != "train"]
    logits = {part: setting.logits(part) for part in parts}
    return score_logits(setting.problem, logits, config=setting.config, folder=folder)


def score_logits(
    problem: Problem, logits: Mapping[str, FloatArray], *, config: TrainConfig, folder: RunFolder
) -> Scored:
    """Calibrate and score the logits of every part but train; write the predictions."""
    outcome, labels, parts = problem.task.outcome, problem.labels, list(logits)
    calibration = calibrate(
        problem, logits["validation"], method=config.calibration, balanced=config.imbalance
    )
    answers = {part: outcome.answers(calibration.apply(logits[part]), labels) for part in parts}
    threshold = choose_threshold(problem, answers["validation"])
    cut = DEFAULT_CUT if threshold is None else threshold
    tables = [
        _part_table(problem, part, logits[part], calibration=calibration, threshold=cut)
        for part in parts
    ]
    write_table(_reported(tables, parts), folder.predictions)
    beside = baselines_beside(problem, config, folder)
    metrics = {
        "format_version": FORMAT_VERSION,
        "headline": outcome.headline,
        "threshold": threshold,
        "calibration": calibration.summary(),
        **all_scores(problem, {MODEL: answers, **beside.answers}, seed=config.seed),
    }
    metrics["notes"] += beside.notes
    limits = limits_of_sets(problem, answers["validation"])
    return Scored(metrics, cut, calibration, limits, beside)


def baselines_beside(problem: Problem, config: TrainConfig, folder: RunFolder) -> Beside:
    """Fit the baselines that were asked for, and write what they know into the run folder."""
    beside = fitted_beside(
        problem.dataset,
        problem.targets,
        problem.task,
        labels=problem.labels,
        names=chosen(config.baselines, suitable(problem.task)),
        search=remembered_search(
            config.embedding_cache or folder.checkpoints, threads=config.threads
        ),
    )
    if not beside.fitted:
        remove(folder.baselines)
        return beside
    cuts = {
        name: choose_threshold(problem, answers["validation"])
        for name, answers in beside.answers.items()
    }
    kept = Stored(
        beside.fitted,
        cuts,
        kind=problem.task.outcome.kind,
        proteins_per_example=problem.dataset.parts["train"].members.shape[1],
    )
    save_baselines(kept, folder.baselines)
    return beside


def all_scores(
    problem: Problem, answered: Mapping[str, dict[str, FloatArray]], *, seed: int
) -> dict[str, Any]:
    """Return the scores of every part; decisions are taken as validation says.

    Parameters
    ----------
    answered
        Who answered → part → answers; the model first, under the name `MODEL`.
    """
    cuts = {
        name: choose_threshold(problem, answers["validation"]) for name, answers in answered.items()
    }
    parts = {}
    for part in answered[MODEL]:
        targets = problem.targets[part]
        rows = labelled_rows(
            problem.dataset, part, targets, task=problem.task, labels=problem.labels
        )
        given = {
            name: Answers(answers[part][targets.counted], DEFAULT_CUT if cut is None else cut)
            for (name, answers), cut in zip(answered.items(), cuts.values(), strict=True)
        }
        parts[part] = score_rows(rows, given, seed=seed)
    return by_kind(parts, others={"baselines": [name for name in answered if name != MODEL]})


def by_kind(parts: Mapping[str, PartScores], *, others: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the scores of all parts in the form of `metrics.json`.

    Parameters
    ----------
    others
        Key of `metrics.json` → names of those who answered besides the model.
    """
    everyone = [name for names in others.values() for name in names]
    return {
        "splits": {part: scores.entries[MODEL] for part, scores in parts.items()},
        **{
            key: {
                name: {part: scores.entries[name] for part, scores in parts.items()}
                for name in names
            }
            for key, names in others.items()
        },
        "differences": {
            name: {part: scores.differences[name] for part, scores in parts.items()}
            for name in everyone
        },
        "intervals": {part: scores.interval for part, scores in parts.items()},
        "reliability": {
            part: scores.reliability for part, scores in parts.items() if scores.reliability
        },
        "notes": [f"{part}: {note}" for part, scores in parts.items() for note in scores.notes],
    }


def calibrate(problem: Problem, logits: FloatArray, *, method: str, balanced: str) -> Calibration:
    """Return the calibration that the rows of validation ask for.

    Parameters
    ----------
    logits
        Of all validation rows. Shape (R, K).
    method
        As `--calibration`.
    balanced
        As `--imbalance`: other than none, training aims at classes that are equally common.
    """
    targets, kind = problem.targets["validation"], problem.task.outcome.kind
    counted = targets.counted
    values = targets.values[counted]
    fitted = fit_calibration(
        method, logits[counted], values, kind=kind, groups=_example_of_row(targets.offsets)[counted]
    )
    if kind != "binary":
        return fitted
    share = float(values.mean())
    if fitted.method != "isotonic":
        negatives, positives = problem.labels.class_counts
        share = positives / (negatives + positives) if balanced == "none" else 0.5
    return fitted.with_prior((1 - share, share))


def _example_of_row(offsets: IntArray) -> IntArray:
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def limits_of_sets(problem: Problem, answers: FloatArray) -> Conformal | None:
    """Return the limits of prediction sets, from the rows of validation; None for numbers."""
    if problem.task.outcome.kind not in METHODS:
        return None
    targets = problem.targets["validation"]
    return fit_conformal(answers[targets.counted], targets.values[targets.counted])


def choose_threshold(problem: Problem, answers: FloatArray) -> float | None:
    """Return the probability from which on yes is predicted: the best MCC on validation.

    Of several classes all answers are taken together: one threshold, which rare classes can bear.
    """
    if not problem.task.outcome.uses_threshold:
        return None
    targets = problem.targets["validation"]
    labels = targets.values[targets.counted].ravel().astype(np.int64)
    return best_threshold(labels, answers[targets.counted].ravel())


def _part_table(
    problem: Problem, part: str, logits: FloatArray, *, calibration: Calibration, threshold: float
) -> pd.DataFrame:
    columns = answer_columns(
        problem.task, problem.labels, logits, calibration=calibration, threshold=threshold
    )
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
