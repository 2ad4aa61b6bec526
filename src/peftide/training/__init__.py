"""Training: problem, setting, batches, loop and resume points."""

from peftide.training.loop import FitResult, TrainingRun, begin, fit
from peftide.training.parts import Fitting, LabelledPart, RowSource, cached_rows, encoded_rows

__all__ = [
    "FitResult",
    "Fitting",
    "LabelledPart",
    "RowSource",
    "TrainingRun",
    "begin",
    "cached_rows",
    "encoded_rows",
    "fit",
]
