"""How metrics, tasks and quantities are said to a person."""

import math

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
    "macro_classes": "classes in the macro means",
    "ece": "expected calibration error (ECE)",
    "brier": "Brier score",
}
"""Metrics whose name is more than its words."""

LOWER_IS_BETTER = {"mae", "rmse", "ece", "brier", "log_loss", "nll"}

QUESTIONS = {
    "ppi": "Do two proteins interact?",
    "binary": "Does a sequence have the property?",
    "multiclass": "Which class does a sequence belong to?",
    "multilabel": "Which classes does a sequence belong to?",
    "symmetry": "Which symmetry does a homo-oligomer have?",
    "regression": "What value does a sequence have?",
    "residue": "Which class does each residue belong to?",
    "pair-multiclass": "Which class does a pair belong to?",
    "pair-multilabel": "Which classes does a pair belong to?",
    "pair-regression": "What value does a pair have?",
}
"""Task → the question on top of its report; any other task is named as it is."""

METHODS = {"head": "frozen backbone, trained head", "lora": "LoRA", "full": "full fine-tuning"}

BASELINES = {
    "composition": "residue composition and length",
    "residue_letter": "residue letter alone",
    "kmer": "frequencies of 3-mers",
    "nearest_homologue": "nearest homologue",
    "degree": "degree (train pairs of each label)",
    "positive_degree": "degree (positive train pairs)",
}
"""Baseline → what it knows; any other is named as it is."""

STRATA = {
    "seen": "Proteins that training has seen",
    "similarity": "Identity to the nearest training sequence (of a pair: of the less similar one)",
    "length": "Residues (of a pair: of the longer sequence)",
    "pairs_in_train": "Training pairs of the protein that has more",
    "pairs_in_part": "Pairs here of the protein that has more",
}
"""Column of `strata.tsv` → what the groups are; in the order of the report."""

BYTES_PER_GB = 1e9
BYTES_PER_MB = 1e6
SECONDS_PER_MINUTE = 60
SECONDS_PER_HOUR = 3600


def metric_name(metric: str) -> str:
    """Return a metric in words.

    Examples
    --------
    >>> metric_name("average_precision"), metric_name("macro_recall")
    ('average precision', 'macro recall')
    """
    return METRICS.get(metric, plain(metric))


def plain(name: str) -> str:
    """Return a snake_case name in words."""
    return name.replace("_", " ")


def score(value: float | None, *, digits: int = 3) -> str:
    """Return a score, or a dash where there is none.

    Examples
    --------
    >>> score(0.61949), score(None), score(-0.02)
    ('0.619', '–', '−0.020')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.{digits}f}".replace("-", "−")


def signed(value: float) -> str:
    """Return a difference with its sign.

    Examples
    --------
    >>> signed(0.02), signed(-0.0171)
    ('+0.020', '−0.017')
    """
    return f"{value:+.3f}".replace("-", "−")


def interval(low: float | None, high: float | None) -> str:
    """Return an interval, or nothing where there is none.

    Examples
    --------
    >>> interval(0.6, 0.65), interval(None, None)
    ('[0.600, 0.650]', '')
    """
    return "" if low is None or high is None else f"[{score(low)}, {score(high)}]"


def number(value: float) -> str:
    """Return a number of any size with at most four digits that mean something.

    Examples
    --------
    >>> number(1234567), number(0.012345), number(12.0), number(-3.25)
    ('1,234,567', '0.01235', '12', '−3.25')
    """
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def memory(size: float) -> str:
    """Return bytes in GB or MB (powers of ten).

    Examples
    --------
    >>> memory(4.91e9), memory(613642240)
    ('4.9 GB', '614 MB')
    """
    if size >= BYTES_PER_GB:
        return f"{size / BYTES_PER_GB:.1f} GB"
    return f"{size / BYTES_PER_MB:.0f} MB"


def duration(seconds: float) -> str:
    """Return a time in the unit a person would choose.

    Examples
    --------
    >>> duration(3.74), duration(234), duration(9000)
    ('3.7 s', '3 min 54 s', '2 h 30 min')
    """
    if seconds < SECONDS_PER_MINUTE:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < SECONDS_PER_HOUR:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
