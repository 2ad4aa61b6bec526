"""One of several classes per pair of proteins: the kind of an interaction, for instance."""

from peftide.tasks.categorical import CATEGORICAL
from peftide.tasks.multiclass import fit_classes, read_classes
from peftide.tasks.task import Task

PAIR_MULTICLASS = Task(
    summary="a pair of proteins → one of several classes",
    level="pair",
    outcome=CATEGORICAL,
    fit_labels=fit_classes,
    read_targets=read_classes,
)
