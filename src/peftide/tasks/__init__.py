"""Questions that can be asked, by name."""

from peftide.tasks.ppi import PPI
from peftide.tasks.regression import REGRESSION
from peftide.tasks.residue import RESIDUE
from peftide.tasks.symmetry import SYMMETRY
from peftide.tasks.task import Labels, Outcome, ReadingOptions, Targets, Task

TASKS: dict[str, Task] = {
    "ppi": PPI,
    "symmetry": SYMMETRY,
    "regression": REGRESSION,
    "residue": RESIDUE,
}

__all__ = ["TASKS", "Labels", "Outcome", "ReadingOptions", "Targets", "Task"]
