"""A value: one output, trained on standardised values."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from peftide.errors import InputError, raise_problems
from peftide.metrics import continuous_metrics
from peftide.metrics.weighted import weighted_continuous
from peftide.outcomes.outcome import Imbalance, Labels, Outcome, ReadingOptions, Targets
from peftide.outcomes.shallow import (
    Shallow,
    all_by_nearness,
    as_columns,
    fit_values,
    mean_of_both,
)
from peftide.outcomes.shown import Shown
from peftide.quantities import number
from peftide.sequences.label_kinds import TOO_MANY_DIGITS, is_number, shortened
from peftide.sequences.label_lists import COMMAS, label_list
from peftide.sequences.missing import looks_missing_label, missing_numbers
from peftide.sequences.near_numbers import PLAIN, beside_number
from peftide.sequences.records import Examples, Finding
from peftide.sequences.tallies import row_findings
from peftide.types import BoolArray, FloatArray

LARGEST = 1e38
"""Larger numbers do not fit into a float32."""
SMALLEST_SPREAD = 1e-30
FAR = 1e6
"""A value this many interquartile ranges from the median is far off."""
NOT_ZERO = re.compile(r"[^eE]*[1-9]")
NO_NUMBER = "is not a finite number"


def read_continuous(examples: Examples, _labels: Labels, options: ReadingOptions) -> Targets:
    """Read one finite number per row.

    Raises
    ------
    InputError
        Naming file and line of every label that is not a finite number of usual size.
    """
    values = numbers_of(examples.labels or (), examples.where)
    findings = odd_values(values, examples.counted, part=options.part, where=examples.where)
    return Targets(values[:, None], examples.counted, np.arange(len(values) + 1), findings)


def numbers_of(texts: Sequence[str], where: Callable[[int], str]) -> FloatArray:
    """Return one number per text. Shape (R,).

    Parameters
    ----------
    where
        Place of a text by its index, for messages.

    Raises
    ------
    InputError
        Naming the place of every text that is not a finite number of usual size.
    """
    values = np.array([float(t) if is_number(t) else math.nan for t in texts], dtype=np.float64)
    zeros = np.flatnonzero(values == 0).tolist()
    vanished = [row for row in zeros if NOT_ZERO.match(texts[row].strip())]
    wrong = np.flatnonzero(~(np.abs(values) <= LARGEST)).tolist() + vanished  # NaN too
    raise_problems(
        [f"{where(row)}: label {shortened(texts[row])} {_fault(texts[row])}" for row in wrong],
        fix="To use another column, name it with --label-column",
    )
    return values


def _fault(text: str) -> str:
    if TOO_MANY_DIGITS.fullmatch(text.strip()):
        return "has too many digits for a number: an id, or labels of residues (--task residue)?"
    if beside := beside_number(text):
        return f"{NO_NUMBER}: it has {beside}; {PLAIN}"
    if looks_missing_label(text):
        return f"{NO_NUMBER} but looks like a missing value: leave out the row"
    listed = label_list(text)
    if listed is not None and listed.fault == COMMAS:
        return COMMAS
    if listed is not None and listed.are_numbers:
        return f"{NO_NUMBER} but a list; one number per residue: --task residue-regression"
    if is_number(text) and float(text) == 0:
        return "is too small for a float and would be read as 0: write 0, or change the unit"
    if is_number(text):
        return f"is too large to compute with (above {LARGEST:g}): correct it, or change the unit"
    return NO_NUMBER


def odd_values(
    values: FloatArray, counted: BoolArray, *, part: str, where: Callable[[int], str]
) -> tuple[Finding, ...]:
    """Count values far from all others, and values that look like a mark for a missing value."""
    marks = missing_numbers(part, values, counted, where=where)
    return far_off(values, counted, part=part, where=where) + marks


def far_off(
    values: FloatArray, counted: BoolArray, *, part: str, where: Callable[[int], str]
) -> tuple[Finding, ...]:
    """Count values so far from all others that these become the same number beside them.

    Examples
    --------
    >>> values = np.array([1.0, 2, 3, 4, 1e30])
    >>> found = far_off(values, np.ones(5, bool), part="train", where=str)
    >>> found[0].kind, found[0].examples
    ('far_off_values', ('4',))
    """
    if not counted.any():
        return ()
    low, median, high = np.quantile(values[counted], (0.25, 0.5, 0.75))
    rows = counted & (np.abs(values - median) > FAR * (high - low)) & (high > low)
    first = f" (the first: {where(int(rows.argmax()))})" if rows.any() else ""
    decision = (
        f"values more than {FAR:,.0f} interquartile ranges from the median{first}; correct them, "
        "or train on logarithms"
    )
    return row_findings(part, "far_off_values", rows, where=where, decision=decision)


def fit_continuous(examples: Examples, options: ReadingOptions) -> Labels:
    """Take mean and standard deviation of the training values.

    Raises
    ------
    InputError
        If all values are equal.
    """
    return standardising(read_continuous(examples, Labels(), options), str(examples.path))


def standardising(targets: Targets, where: str) -> Labels:
    """Return mean and standard deviation of the values that count.

    Raises
    ------
    InputError
        If there are none, all are equal, or they differ by too little to compute with.
    """
    values = targets.values[targets.counted]
    if values.size == 0:
        raise InputError("no training label counts: all are masked or left out", where=where)
    if np.ptp(values) == 0:
        raise InputError(
            "all training values are equal", expected="values that differ", where=where
        )
    if values.std() < SMALLEST_SPREAD:
        raise InputError(
            f"the training values differ by less than {SMALLEST_SPREAD:g}",
            where=where,
            fix="Change their unit, or train on logarithms",
        )
    return Labels(centre=float(values.mean()), spread=float(values.std()))


def squared_loss(
    logits: Float[Any, "R 1"],
    values: Float[Any, "R 1"],
    labels: Labels,
    *,
    imbalance: Imbalance,
) -> Float[Any, " R"]:
    """Return the squared error of each row; `values` are standardised."""
    del imbalance, labels
    return (logits[:, 0] - values[:, 0]) ** 2


def standardised(values: FloatArray, labels: Labels) -> FloatArray:
    """Return values in training standard deviations from the training mean.

    This is done in double precision: 1,700,000,001 and 1,700,000,002 are one float32.
    """
    return (values - labels.centre) / labels.spread


def continuous_answers(logits: FloatArray, labels: Labels) -> FloatArray:
    """Return values in the units of the labels. Shape (R,)."""
    return in_units(logits[:, 0].astype(np.float64), labels)


def in_units(values: Float[Any, " R"], labels: Labels) -> Float[Any, " R"]:
    """Return standardised values (an array or a tensor) in the units of the labels."""
    return values * labels.spread + labels.centre


def measure_continuous(
    values: FloatArray, answers: FloatArray, _labels: Labels, *, threshold: float
) -> dict[str, Any]:
    """Return all metrics of values, which have no threshold."""
    del threshold
    return continuous_metrics(values[:, 0], answers)


def continuous_columns(logits: FloatArray, labels: Labels, *, threshold: float) -> dict[str, Any]:
    """Return the predicted value, which has no threshold."""
    del threshold
    return {"prediction": continuous_answers(logits, labels)}


def continuous_truth(values: FloatArray, _labels: Labels) -> np.ndarray:
    """Return the value of each row. Shape (R,)."""
    return values[:, 0]


def finite_values(targets: np.ndarray) -> np.ndarray:
    """Return targets as float64.

    Raises
    ------
    InputError
        If one is NaN or infinite.
    """
    if not np.isfinite(targets).all():
        raise InputError("a target that is NaN or infinite", expected="finite values")
    return targets.astype(np.float64)


CONTINUOUS = Outcome(
    kind="continuous",
    headline="spearman",
    outputs=lambda _labels: 1,
    trained=standardised,
    loss=squared_loss,
    answers=continuous_answers,
    metrics=measure_continuous,
    columns=continuous_columns,
    evidence=lambda logits, labels, _class: in_units(logits[:, 0], labels),
    answer_column="prediction",
    score_columns=lambda _labels: [["score"], ["prediction"]],
    truth=continuous_truth,
    statistic=weighted_continuous,
    default_labels=Labels(),
    shallow=Shallow(
        checked=finite_values,
        linear=fit_values,
        tallied=as_columns,
        from_tallies=mean_of_both,
        averaged=as_columns,
        nearness=all_by_nearness,
    ),
    shown=Shown(
        figures=("predicted_and_true",),
        group_metric="spearman",
        group_score=lambda truth, answers: (continuous_metrics(truth, answers)["spearman"], None),
        mistakes=lambda truth, answers, **_threshold: np.abs(truth - answers),
        said=lambda answer, _names, **_threshold: number(float(answer)),
    ),
)
