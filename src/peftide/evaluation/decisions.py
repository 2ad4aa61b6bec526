"""The rows of validation → the calibration, the threshold and the prediction sets of a model."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from peftide.evaluation.calibration import Calibration, fit_calibration
from peftide.evaluation.conformal import Conformal, fit_conformal
from peftide.evaluation.rows import ScoredPart
from peftide.metrics import best_threshold, metric_name
from peftide.types import FloatArray, IntArray

DEFAULT_THRESHOLD = 0.5
FEW_FOR_THRESHOLD = 30
"""Labels of the rarer kind below which a threshold is a matter of chance."""
VISIBLE = 5e-4
"""A change of a score that three digits show."""


@dataclass(frozen=True)
class Decisions:
    """Calibration, threshold and prediction-set limits from validation; stored with the model.

    Attributes
    ----------
    calibration
        Map of logits to calibrated logits.
    threshold
        Lowest calibrated probability that is predicted as positive.
    conformal
        Limits of the prediction sets; None for answers that have no sets.
    """

    calibration: Calibration = field(default_factory=Calibration)
    threshold: float = DEFAULT_THRESHOLD
    conformal: Conformal | None = None


def decide(part: ScoredPart, logits: FloatArray, *, method: str, imbalance: str) -> Decisions:
    """Return the decisions that a validation part makes about the model with these logits.

    Parameters
    ----------
    part
        The validation part.
    logits
        Logits of all rows of the part. Shape (R, K).
    method
        As `--calibration`.
    imbalance
        As `--imbalance`; all values but "none" train for equally common classes.
    """
    outcome, counted = part.task.outcome, part.targets.counted
    values = part.targets.values[counted]
    calibration = _calibrated(part, logits, method=method, imbalance=imbalance)
    answers = outcome.answers(calibration.apply(logits), part.labels)
    threshold = choose_threshold(part, answers)
    return Decisions(
        calibration,
        DEFAULT_THRESHOLD if threshold is None else threshold,
        fit_conformal(answers[counted], values) if outcome.has_sets else None,
    )


def choose_threshold(part: ScoredPart, answers: FloatArray) -> float | None:
    """Return the probability with the best MCC on a part; None if no threshold is used.

    All classes share one threshold, so that rare classes have one too.

    Parameters
    ----------
    answers
        Answers for all rows of the part. Shape (R,) or (R, K).
    """
    if not part.task.outcome.uses_threshold:
        return None
    counted = part.targets.counted
    labels = part.targets.values[counted].ravel().astype(np.int64)
    return best_threshold(labels, answers[counted].ravel())


def notes_on(part: ScoredPart, logits: FloatArray, decisions: Decisions) -> Iterator[str]:
    """Yield notes on a threshold from few rows, and on a score that calibration changed.

    Parameters
    ----------
    part, logits
        As for `decide`.
    """
    outcome, counted = part.task.outcome, part.targets.counted
    values = part.targets.values[counted]
    positives = int(values.sum())
    if outcome.uses_threshold and min(positives, values.size - positives) < FEW_FOR_THRESHOLD:
        yield (
            f"threshold {decisions.threshold:.3f} was chosen on {positives:,} positive and "
            f"{values.size - positives:,} negative labels: with so few, another validation part "
            "could choose a very different one"
        )
    scores = [
        outcome.metrics(
            values,
            outcome.answers(logits, part.labels)[counted],
            part.labels,
            threshold=decisions.threshold,
        )[outcome.headline]
        for logits in (logits, decisions.calibration.apply(logits))
    ]
    if abs(scores[0] - scores[1]) >= VISIBLE:
        yield (
            f"the {metric_name(outcome.headline)} was {scores[0]:.3f} during training and is "
            f"{scores[1]:.3f} here, because calibration changes probabilities"
        )


def _calibrated(
    part: ScoredPart, logits: FloatArray, *, method: str, imbalance: str
) -> Calibration:
    targets, outcome = part.targets, part.task.outcome
    counted = targets.counted
    values = targets.values[counted]
    fitted = fit_calibration(
        method,
        logits[counted],
        values,
        methods=outcome.calibrations,
        groups=_example_of_row(targets.offsets)[counted],
    )
    if not outcome.has_prevalence:
        return fitted
    share = float(values.mean())
    if fitted.method != "isotonic":
        negatives, positives = part.labels.class_counts
        share = positives / (negatives + positives) if imbalance == "none" else 0.5
    return fitted.with_prior((1 - share, share))


def _example_of_row(offsets: IntArray) -> IntArray:
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
