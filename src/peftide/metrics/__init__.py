"""Labels and predictions → scores; arrays in, plain dictionaries out, no torch."""

from peftide.metrics.binary import best_threshold, binary_metrics
from peftide.metrics.categorical import categorical_metrics
from peftide.metrics.continuous import continuous_metrics
from peftide.metrics.multilabel import multilabel_metrics
from peftide.metrics.record import as_record

__all__ = [
    "as_record",
    "best_threshold",
    "binary_metrics",
    "categorical_metrics",
    "continuous_metrics",
    "multilabel_metrics",
]
