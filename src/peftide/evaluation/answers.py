"""Logits → the columns of a prediction table: calibrated, and as sets or for another prevalence."""

import logging
from typing import Any

from scipy.special import expit, logit

from peftide.bundle import Bundle
from peftide.config.limits import RANGES
from peftide.errors import InputError
from peftide.evaluation.calibration import Calibration, prevalence_offset
from peftide.evaluation.conformal import Conformal, set_names
from peftide.tasks import TASKS, Labels, Task
from peftide.types import BoolArray, FloatArray, Level

logger = logging.getLogger(__name__)

CAVEATS: dict[Level, str] = {
    "pair": "pairs that share proteins are not exchangeable: on new proteins sets may hold the "
    "true class less often than promised",
    "residue": "residues of one sequence are not exchangeable: on new sequences sets may hold the "
    "true class less often than promised",
    "sequence": "the promise is for sequences like those of validation",
}
"""What a label belongs to → what to bear in mind about prediction sets."""
OPEN_INTERVAL = "above 0, below 1"


def answer_columns(
    task: Task,
    labels: Labels,
    logits: FloatArray,
    *,
    calibration: Calibration,
    threshold: float,
) -> dict[str, Any]:
    """Return the columns of calibrated answers; `score` stays the model's own logit."""
    columns = task.outcome.columns(calibration.apply(logits), labels, threshold=threshold)
    return columns | ({"score": logits[:, 0]} if "score" in columns else {})


def bundle_columns(
    bundle: Bundle,
    logits: FloatArray,
    *,
    error_rate: float | None = None,
    prevalence: float | None = None,
) -> dict[str, Any]:
    """Return the columns of a bundle's answers.

    Parameters
    ----------
    error_rate
        Adds the column `set`.
    prevalence
        Probabilities are those where this share is positive; predictions stay as they are.
    """
    task = TASKS[bundle.recipe.task]
    columns = answer_columns(
        task, bundle.labels, logits, calibration=bundle.calibration, threshold=bundle.threshold
    )
    if prevalence is not None:
        calibrated = bundle.calibration.apply(logits)[:, 0]
        columns["probability"] = expit(calibrated + offset_of(bundle, prevalence))
    if error_rate is not None:
        sets = prediction_sets(bundle, logits, error_rate)
        columns["set"] = set_names(sets, bundle.labels.class_names)
    return columns


def check_answer_options(
    bundle: Bundle, *, error_rate: float | None = None, prevalence: float | None = None
) -> None:
    """Raise for what a model cannot answer, and say which share of positives is assumed.

    Raises
    ------
    InputError
        If a share is no share, or the model has no sets or no probability of yes.
    """
    for flag, value in (("--error-rate", error_rate), ("--prevalence", prevalence)):
        if value is not None and not RANGES[OPEN_INTERVAL](value):
            raise InputError(f"received {value}", expected=f"a number {OPEN_INTERVAL}", where=flag)
    task = TASKS[bundle.recipe.task]
    if prevalence is not None:
        if task.outcome.kind != "binary":
            raise InputError(
                f"the task {bundle.recipe.task} has no probability of yes", where="--prevalence"
            )
        _say_prevalence(bundle, prevalence)
    if error_rate is not None:
        _limits(bundle)


def prediction_sets(bundle: Bundle, logits: FloatArray, error_rate: float) -> BoolArray:
    """Return which classes are in the set of each row. Shape (R, K).

    They come from the probabilities before any change of prevalence, on which they do not depend.
    """
    task = TASKS[bundle.recipe.task]
    answers = task.outcome.answers(bundle.calibration.apply(logits), bundle.labels)
    return _limits(bundle).sets(answers, error_rate)


def _limits(bundle: Bundle) -> Conformal:
    if bundle.conformal is None:
        raise InputError(
            f"this model of the task {bundle.recipe.task} has no prediction sets",
            where="--error-rate",
            fix="Only classes have them, in models trained with this version of peftide or later",
        )
    return bundle.conformal


def assumed_prevalence(bundle: Bundle) -> float:
    """Return the share of positives that a model's probabilities assume."""
    _, positives = bundle.calibration.prior or bundle.labels.class_counts
    return positives / sum(bundle.calibration.prior or bundle.labels.class_counts)


def offset_of(bundle: Bundle, prevalence: float) -> float:
    """Return what is added to a model's logits for another share of positives."""
    return prevalence_offset(assumed=assumed_prevalence(bundle), wanted=prevalence)


def _say_prevalence(bundle: Bundle, prevalence: float) -> None:
    assumed = assumed_prevalence(bundle)
    cut = expit(logit(bundle.threshold) + offset_of(bundle, prevalence))
    logger.warning(
        "note: probabilities are for %.4g positives in 1 instead of %.4g, as in training; "
        "`prediction` is 1 for the same rows as ever, now from a probability of %.4g on",
        prevalence,
        assumed,
        cut,
    )
