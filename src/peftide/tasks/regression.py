"""A value per sequence: stability, fitness, activity and the like."""

from peftide.tasks.continuous import CONTINUOUS, fit_continuous, read_continuous
from peftide.tasks.task import Task

REGRESSION = Task(
    summary="a sequence → a value",
    level="sequence",
    outcome=CONTINUOUS,
    fit_labels=fit_continuous,
    read_targets=read_continuous,
)
