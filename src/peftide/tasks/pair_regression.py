"""A value per pair of proteins, whatever their order: affinity, for instance."""

from peftide.tasks.continuous import CONTINUOUS, fit_continuous, read_continuous
from peftide.tasks.task import Task

PAIR_REGRESSION = Task(
    summary="a pair of proteins → a value",
    level="pair",
    outcome=CONTINUOUS,
    fit_labels=fit_continuous,
    read_targets=read_continuous,
)
