"""The logits of a model → its answers: calibrated, as table columns, and as prediction sets."""

import logging
from dataclasses import dataclass, field
from typing import Any

from scipy.special import expit, logit

from peftide.config.limits import RANGES
from peftide.errors import InputError
from peftide.evaluation.calibration import prevalence_offset
from peftide.evaluation.conformal import Conformal, set_names
from peftide.evaluation.decisions import Decisions
from peftide.tasks import Labels, Task
from peftide.types import BoolArray, FloatArray, Level

logger = logging.getLogger(__name__)

CAVEATS: dict[Level, str] = {
    "pair": "pairs that share proteins are not exchangeable, so on new proteins prediction sets "
    "may miss the true class more often than --error-rate",
    "residue": "residues of one sequence are not exchangeable, so on new sequences prediction sets "
    "may miss the true class more often than --error-rate",
    "sequence": "the error rate holds for sequences like the ones in validation",
}
"""Level of a label → the caveat about prediction sets at this level."""
OPEN_INTERVAL = "above 0, below 1"


@dataclass(frozen=True)
class Answering:
    """How a model's logits become answers.

    Attributes
    ----------
    task, labels
        The question, and the labels of the training part.
    decisions
        Calibration, threshold and limits of prediction sets.
    """

    task: Task
    labels: Labels
    decisions: Decisions = field(default_factory=Decisions)

    def answers(self, logits: FloatArray) -> FloatArray:
        """Return calibrated probabilities, or values. Shape (R,) or (R, K)."""
        return self.task.outcome.answers(self._calibrated(logits), self.labels)

    def columns(
        self,
        logits: FloatArray,
        *,
        error_rate: float | None = None,
        prevalence: float | None = None,
    ) -> dict[str, Any]:
        """Return the columns of a prediction table; `score` is the model's own logit.

        Parameters
        ----------
        logits
            Shape (R, K).
        error_rate
            Adds the column `set`: the classes of the prediction set.
        prevalence
            Share of positives among the rows; changes `probability`, never `prediction`.
        """
        calibrated, threshold = self._calibrated(logits), self.decisions.threshold
        columns = self.task.outcome.columns(calibrated, self.labels, threshold=threshold)
        if "score" in columns:
            columns["score"] = logits[:, 0]
        if prevalence is not None:
            columns["probability"] = expit(calibrated[:, 0] + self._offset(prevalence))
        if error_rate is not None:
            columns["set"] = set_names(self.sets(logits, error_rate), self.labels.class_names)
        return columns

    def sets(self, logits: FloatArray, error_rate: float) -> BoolArray:
        """Return the classes in the prediction set of each row. Shape (R, K).

        They do not depend on the prevalence.

        Raises
        ------
        InputError
            If the model has no prediction sets.
        """
        return self._limits().sets(self.answers(logits), error_rate)

    def check(self, *, error_rate: float | None = None, prevalence: float | None = None) -> None:
        """Raise if the model cannot answer with these options; log the prevalence it assumes.

        Raises
        ------
        InputError
            If a share is out of range, or the model has no prediction sets or no probability of
            positives.
        """
        for flag, value in (("--error-rate", error_rate), ("--prevalence", prevalence)):
            if value is not None and not RANGES[OPEN_INTERVAL](value):
                expected = f"a number {OPEN_INTERVAL}"
                raise InputError(f"received {value}", expected=expected, where=flag)
        if prevalence is not None:
            if not self.task.outcome.has_prevalence:
                raise InputError(
                    "this task has no positive class",
                    where="--prevalence",
                    fix="Leave it out; only tasks with binary labels have one",
                )
            self._say_prevalence(prevalence)
        if error_rate is not None:
            self._limits()
            logger.warning("note: %s", CAVEATS[self.task.level])

    def assumed_prevalence(self) -> float:
        """Return the share of positives that the probabilities assume."""
        negatives, positives = self.decisions.calibration.prior or self.labels.class_counts
        return positives / (negatives + positives)

    def _calibrated(self, logits: FloatArray) -> FloatArray:
        return self.decisions.calibration.apply(logits)

    def _limits(self) -> Conformal:
        if self.decisions.conformal is None:
            raise InputError(
                "this model has no prediction sets",
                where="--error-rate",
                fix="Only tasks with one true class per row have them (intervals of the values of "
                "variants: `peftide mutate --mutants`)",
            )
        return self.decisions.conformal

    def _offset(self, prevalence: float) -> float:
        return prevalence_offset(assumed=self.assumed_prevalence(), wanted=prevalence)

    def _say_prevalence(self, prevalence: float) -> None:
        logger.warning(
            "note: probabilities assume a share of positives of %.4g (training: %.4g); "
            "`prediction` is unchanged, which now means 1 from a probability of %.4g",
            prevalence,
            self.assumed_prevalence(),
            expit(logit(self.decisions.threshold) + self._offset(prevalence)),
        )
