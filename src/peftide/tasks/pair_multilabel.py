"""Any subset of K classes per pair of proteins: the kinds of an interaction, for instance."""

from peftide.tasks.multilabel import SUBSET, fit_multilabel, read_multilabel
from peftide.tasks.task import Task

PAIR_MULTILABEL = Task(
    summary="a pair of proteins → any number of classes",
    level="pair",
    outcome=SUBSET,
    fit_labels=fit_multilabel,
    read_targets=read_multilabel,
)
