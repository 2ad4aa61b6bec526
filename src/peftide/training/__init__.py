"""Batches, optimizer, loop and resume points."""

from peftide.training.loop import FitResult, TrainingRun, begin, fit
from peftide.training.parts import Fitting, LabelledPart, RowSource, cached_rows, encoded_rows
from peftide.training.scoring import answer_rows

__all__ = [
    "FitResult",
    "Fitting",
    "LabelledPart",
    "RowSource",
    "TrainingRun",
    "answer_rows",
    "begin",
    "cached_rows",
    "encoded_rows",
    "fit",
]
