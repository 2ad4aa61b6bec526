"""Keys of metrics → their names for people."""

METRICS = {
    "average_precision": "average precision",
    "auroc": "AUROC",
    "mcc": "MCC",
    "f1": "F1",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
    "r2": "R²",
    "spearman": "Spearman correlation",
    "pearson": "Pearson correlation",
    "macro_average_precision": "macro average precision",
    "macro_auroc": "macro AUROC",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "macro_classes": "classes in the macro means",
    "ece": "expected calibration error (ECE)",
    "brier": "Brier score",
}
"""Metrics whose name differs from the words of their key."""


def metric_name(metric: str) -> str:
    """Return a metric in words.

    Examples
    --------
    >>> metric_name("average_precision"), metric_name("macro_recall")
    ('average precision', 'macro recall')
    """
    return METRICS.get(metric, metric.replace("_", " "))
