"""Labels and predictions → scores; arrays in, plain dictionaries out, no torch."""

from peftide.metrics.binary import best_threshold, binary_metrics
from peftide.metrics.categorical import categorical_metrics
from peftide.metrics.continuous import continuous_metrics
from peftide.metrics.curves import CURVES, curve_points, thinned
from peftide.metrics.differences import (
    NO_EVIDENCE,
    difference_record,
    difference_verdict,
    minus,
    seed_average,
    seed_spread,
)
from peftide.metrics.intervals import LEVEL, Interval, intervals, no_interval_reason
from peftide.metrics.multilabel import multilabel_metrics
from peftide.metrics.names import metric_name
from peftide.metrics.record import as_record, interval_notes
from peftide.metrics.reliability import reliability_curve
from peftide.metrics.resampling import (
    Replicates,
    Units,
    replicates_within,
    resample,
    unresampled,
)
from peftide.metrics.support import Support, label_support
from peftide.metrics.weighted import Statistic, repeated

__all__ = [
    "CURVES",
    "LEVEL",
    "NO_EVIDENCE",
    "Interval",
    "Replicates",
    "Statistic",
    "Support",
    "Units",
    "as_record",
    "best_threshold",
    "binary_metrics",
    "categorical_metrics",
    "continuous_metrics",
    "curve_points",
    "difference_record",
    "difference_verdict",
    "interval_notes",
    "intervals",
    "label_support",
    "metric_name",
    "minus",
    "multilabel_metrics",
    "no_interval_reason",
    "reliability_curve",
    "repeated",
    "replicates_within",
    "resample",
    "seed_average",
    "seed_spread",
    "thinned",
    "unresampled",
]
