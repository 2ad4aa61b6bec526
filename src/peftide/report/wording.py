"""Names of methods and groups of rows, and numbers, as text for people."""

import math
from datetime import datetime

LOWER_IS_BETTER = {"mae", "rmse", "ece", "brier"}

METHODS = {"head": "frozen backbone, trained head", "lora": "LoRA", "full": "full fine-tuning"}

STRATA = {
    "seen": "Proteins that training has seen",
    "similarity": "Identity to the nearest training sequence",
    "length": "Residues of the sequence",
    "pairs_in_train": "Training pairs per protein (of two proteins, the larger number)",
    "pairs_in_part": "Pairs per protein in this part (of two proteins, the larger number)",
}
"""Column of `strata.tsv` → title of its table of groups, in the order of the report."""

OF_PAIRS = STRATA | {
    "similarity": "Identity of the less similar protein to its nearest training sequence",
    "length": "Residues of the longer sequence",
}
"""The same for rows that are pairs."""


def moment(written: str) -> str:
    """Return the date and time of a record.

    Examples
    --------
    >>> moment("2026-11-29T12:59:19+00:00"), moment("")
    ('2026-11-29 12:59 UTC', '')
    """
    return f"{datetime.fromisoformat(written):%Y-%m-%d %H:%M %Z}".strip() if written else ""


def plain(name: str) -> str:
    """Return a snake_case name in words."""
    return name.replace("_", " ")


def capitalised(text: str) -> str:
    """Return a text with a capital at its start.

    Examples
    --------
    >>> capitalised("macro AUROC")
    'Macro AUROC'
    """
    return text[:1].upper() + text[1:]


def score(value: float | None, *, digits: int = 3) -> str:
    """Return a score, or a dash where there is none.

    Examples
    --------
    >>> score(0.61949), score(None), score(-0.02)
    ('0.619', '–', '−0.020')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{_rounded(value, digits):.{digits}f}".replace("-", "−")


def score_or_count(value: float | int | None) -> str:
    """Return a score, or a whole number as it is.

    Examples
    --------
    >>> score_or_count(0.61949), score_or_count(50)
    ('0.619', '50')
    """
    return f"{value:,}" if isinstance(value, int) else score(value)


def signed(value: float) -> str:
    """Return a difference with its sign.

    Examples
    --------
    >>> signed(0.02), signed(-0.0171)
    ('+0.020', '−0.017')
    """
    return f"{_rounded(value, 3):+.3f}".replace("-", "−")


def _rounded(value: float, digits: int) -> float:
    return round(value, digits) + 0.0  # never −0.000


def interval(low: float | None, high: float | None) -> str:
    """Return an interval, or nothing where there is none.

    Examples
    --------
    >>> interval(0.6, 0.65), interval(None, None)
    ('[0.600, 0.650]', '')
    """
    return "" if low is None or high is None else f"[{score(low)}, {score(high)}]"


def new_input(*, pairs: bool, variants: bool) -> str:
    """Return the options of `peftide predict` for a table of a user, as an example.

    Examples
    --------
    >>> new_input(pairs=False, variants=False)
    '--input new.fasta'
    """
    if variants:
        return "--input new_mutants.tsv"
    return "--input new_pairs.tsv --sequences proteins.fasta" if pairs else "--input new.fasta"
