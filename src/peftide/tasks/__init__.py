"""Questions that can be asked, by name."""

from peftide.tasks.binary import YES_OR_NO
from peftide.tasks.multiclass import MULTICLASS
from peftide.tasks.multilabel import MULTILABEL
from peftide.tasks.pair_multiclass import PAIR_MULTICLASS
from peftide.tasks.pair_multilabel import PAIR_MULTILABEL
from peftide.tasks.pair_regression import PAIR_REGRESSION
from peftide.tasks.ppi import PPI
from peftide.tasks.regression import REGRESSION
from peftide.tasks.residue import RESIDUE
from peftide.tasks.symmetry import SYMMETRY
from peftide.tasks.task import Labels, Outcome, ReadingOptions, Targets, Task

TASKS: dict[str, Task] = {
    "ppi": PPI,
    "pair-multiclass": PAIR_MULTICLASS,
    "pair-multilabel": PAIR_MULTILABEL,
    "pair-regression": PAIR_REGRESSION,
    "binary": YES_OR_NO,
    "multiclass": MULTICLASS,
    "multilabel": MULTILABEL,
    "symmetry": SYMMETRY,
    "regression": REGRESSION,
    "residue": RESIDUE,
}

__all__ = ["TASKS", "Labels", "Outcome", "ReadingOptions", "Targets", "Task"]
