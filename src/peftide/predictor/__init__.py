"""A trained model in memory: sequences or pairs in, answers out."""

from peftide.predictor.predictor import Predictor, load
from peftide.predictor.rows import answer_rows

__all__ = ["Predictor", "answer_rows", "load"]
