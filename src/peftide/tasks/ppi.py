"""Protein-protein interaction: whether two proteins interact."""

from peftide.tasks.binary import BINARY, fit_binary, read_binary
from peftide.tasks.task import Task

PPI = Task(
    summary="protein-protein interaction: a pair of proteins → yes or no",
    level="pair",
    outcome=BINARY,
    fit_labels=fit_binary,
    read_targets=read_binary,
)
