"""Kinds of answer: labels, loss, metrics, baselines and wording of each in one file. No torch."""

from peftide.outcomes.binary import BINARY
from peftide.outcomes.categorical import CATEGORICAL
from peftide.outcomes.columns import BETWEEN_CLASSES, COUNTED, PROBABILITY_OF, TRUTH
from peftide.outcomes.continuous import CONTINUOUS
from peftide.outcomes.multilabel import SUBSET
from peftide.outcomes.outcome import Imbalance, Labels, Outcome, ReadingOptions, Targets
from peftide.outcomes.shallow import Shallow
from peftide.outcomes.shown import Shown

OUTCOMES: dict[str, Outcome] = {
    outcome.kind: outcome for outcome in (BINARY, CATEGORICAL, SUBSET, CONTINUOUS)
}
"""Kind → outcome. `metrics.json` and stored baselines name outcomes by these keys."""

__all__ = [
    "BETWEEN_CLASSES",
    "COUNTED",
    "OUTCOMES",
    "PROBABILITY_OF",
    "TRUTH",
    "Imbalance",
    "Labels",
    "Outcome",
    "ReadingOptions",
    "Shallow",
    "Shown",
    "Targets",
]
