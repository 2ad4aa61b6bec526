"""The form of a task: its question, level and outcome, and how labels are read."""

from collections.abc import Callable
from dataclasses import dataclass

from peftide.outcomes.outcome import Labels, Outcome, ReadingOptions, Targets
from peftide.sequences.records import Examples
from peftide.types import Level


@dataclass(frozen=True)
class Task:
    """One question, as one value in `TASKS`.

    Attributes
    ----------
    question
        The question in words, as the report asks it.
    level
        Whether a label belongs to a pair, a sequence or a residue.
    outcome
        The kind of answer.
    fit_labels
        Training examples → `Labels`.
    read_targets
        Examples of any part → `Targets`; every label that cannot be read is an error.
    """

    question: str
    level: Level
    outcome: Outcome
    fit_labels: Callable[[Examples, ReadingOptions], Labels]
    read_targets: Callable[[Examples, Labels, ReadingOptions], Targets]
