"""Questions that a model can learn to answer, by name. No torch."""

from peftide.outcomes.binary import BINARY, fit_binary, read_binary
from peftide.outcomes.categorical import CATEGORICAL, fit_classes, read_classes
from peftide.outcomes.continuous import CONTINUOUS, fit_continuous, read_continuous
from peftide.outcomes.multilabel import SUBSET, fit_multilabel, read_multilabel
from peftide.outcomes.outcome import Labels, Outcome, ReadingOptions, Targets
from peftide.tasks.residue import fit_residue, read_residue
from peftide.tasks.residue_values import fit_residue_values, read_residue_values
from peftide.tasks.symmetry import fit_symmetry, read_symmetry
from peftide.tasks.task import Task

TASKS: dict[str, Task] = {
    "ppi": Task("Do two proteins interact?", "pair", BINARY, fit_binary, read_binary),
    "pair-multiclass": Task(
        "Which class does a pair belong to?", "pair", CATEGORICAL, fit_classes, read_classes
    ),
    "pair-multilabel": Task(
        "Which classes does a pair belong to?", "pair", SUBSET, fit_multilabel, read_multilabel
    ),
    "pair-regression": Task(
        "What value does a pair have?", "pair", CONTINUOUS, fit_continuous, read_continuous
    ),
    "binary": Task(
        "Does a sequence have the property?", "sequence", BINARY, fit_binary, read_binary
    ),
    "multiclass": Task(
        "Which class does a sequence belong to?",
        "sequence",
        CATEGORICAL,
        fit_classes,
        read_classes,
    ),
    "multilabel": Task(
        "Which classes does a sequence belong to?",
        "sequence",
        SUBSET,
        fit_multilabel,
        read_multilabel,
    ),
    "symmetry": Task(
        "Which symmetry does a homo-oligomer have?",
        "sequence",
        CATEGORICAL,
        fit_symmetry,
        read_symmetry,
    ),
    "regression": Task(
        "What value does a sequence have?", "sequence", CONTINUOUS, fit_continuous, read_continuous
    ),
    "variants": Task(
        "What value does a variant of one protein have?",
        "sequence",
        CONTINUOUS,
        fit_continuous,
        read_continuous,
    ),
    "variants-binary": Task(
        "Does a variant of one protein have the property?",
        "sequence",
        BINARY,
        fit_binary,
        read_binary,
    ),
    "residue": Task(
        "Which class does each residue belong to?",
        "residue",
        CATEGORICAL,
        fit_residue,
        read_residue,
    ),
    "residue-regression": Task(
        "What value does each residue have?",
        "residue",
        CONTINUOUS,
        fit_residue_values,
        read_residue_values,
    ),
}

VARIANT_TASKS = ("variants", "variants-binary")
"""Tasks on the variants of one protein: values, and yes or no."""

__all__ = ["TASKS", "VARIANT_TASKS", "Labels", "Outcome", "ReadingOptions", "Targets", "Task"]
