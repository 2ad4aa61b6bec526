"""The form of an outcome: every rule that depends on the kind of labels, in one value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from peftide.metrics.weighted import Statistic
from peftide.outcomes.shallow import Shallow
from peftide.outcomes.shown import Shown
from peftide.ragged import ragged_rows
from peftide.sequences.records import Finding
from peftide.types import BoolArray, FloatArray, IntArray

Imbalance = Literal["none", "weights", "logit_adjustment"]


@dataclass(frozen=True)
class Labels:
    """A description of the training labels; stored with the model.

    Attributes
    ----------
    class_names
        Classes in the order of the logits; empty for values.
    class_counts
        Training rows of each class. A row with two classes counts half for each, unless a row may
        have any number of classes: then it counts one for each.
    class_map
        Label text → class name, where the two differ.
    centre, spread
        Mean and standard deviation of training values.
    rows
        Training rows that count, where a row may have any number of classes.
    columns
        Whether a training label was a list with 0 or 1 for each class.
    """

    class_names: tuple[str, ...] = ()
    class_counts: tuple[float, ...] = ()
    class_map: Mapping[str, str] = field(default_factory=dict)
    centre: float = 0.0
    spread: float = 1.0
    rows: float = 0.0
    columns: bool = False


@dataclass(frozen=True)
class Targets:
    """Labels as numbers.

    Attributes
    ----------
    values
        0 or 1 (binary, multilabel), a value (continuous), or class membership (categorical) that
        sums to 1, or to 0 if the training set lacks the class. Shape (R, K).
    counted
        Rows that enter training and metrics. Shape (R,).
    offsets
        Rows of example i are `offsets[i]:offsets[i + 1]`: one, or one per residue.
        Shape (B + 1,).
    findings
        Findings made while reading.
    """

    values: FloatArray
    counted: BoolArray
    offsets: IntArray
    findings: tuple[Finding, ...] = ()

    def rows(self, examples: IntArray) -> IntArray:
        """Return the rows of some examples, in their order."""
        return ragged_rows(self.offsets[examples], np.diff(self.offsets)[examples])


@dataclass(frozen=True)
class ReadingOptions:
    """Facts besides the table that label reading depends on.

    Attributes
    ----------
    part
        Name of the part, for findings.
    residues
        Residues that the model sees of each example's first protein, after cropping. Shape (B,).
    lengths
        Residues of the same proteins before cropping. Shape (B,).
    class_map
        File that merges labels, or None.
    classes
        Names of the columns of labels that are lists of 0 and 1; empty if the user gave none.
    stops
        Sequences that lost a `*` at their end while they were read.
    """

    part: str
    residues: IntArray
    lengths: IntArray
    class_map: Path | None = None
    classes: tuple[str, ...] = ()
    stops: int = 0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One kind of answer: yes or no, one of several classes, a set of classes, or a value.

    Attributes
    ----------
    kind
        Its key in `OUTCOMES`.
    headline
        The metric that chooses the best epoch; higher is better.
    outputs
        Labels → K, the number of logits.
    loss
        (logits, values as `trained` returns them, labels, imbalance=) → loss of each row.
        Shape (R,).
    trained
        (values, labels) → the values that the loss reads. Shape (R, K).
    answers
        (logits, labels) → probability (R,), probabilities (R, K) or value (R,).
    metrics
        (values, answers, labels, threshold=) → name → number, maybe with a `per_class` entry.
    columns
        (logits, labels, threshold=) → columns of the prediction table.
    evidence
        (logits as a tensor, labels, class) → the number that an explanation explains: log odds of
        yes or of a class, or the value. A tensor of shape (R,).
    answer_column
        The column of the prediction table that holds the answer; empty if there is one column
        `p_<class>` per class.
    score_columns
        Labels → the columns of another tool's score file: alternatives, the preferred one first.
    truth
        (values, labels) → the column `truth` of `strata.tsv`. Shape (R,).
    shallow
        How baselines learn and answer it.
    shown
        How a report draws and words it.
    statistic
        (values, answers, class names, threshold=) → the metrics as a function of the weights of
        rows. None if there is no such function: intervals then repeat rows, which is slow.
    calibrations
        Calibration methods that can be fitted, the simplest first.
    ranking
        Metrics that judge a score without a threshold; empty if all do.
    default_labels
        Labels for reading a table without a training set; None if classes must be found first.
    supports_imbalance
        Whether the loss can correct for rare classes.
    uses_threshold
        Whether a threshold on probabilities, chosen on validation, decides the prediction.
    has_classes
        Whether answers have one column per class.
    has_sets
        Whether prediction sets make sense.
    has_prevalence
        Whether probabilities assume a share of positives, which may differ in use.
    reliability
        Whether a reliability curve is computed.
    """

    kind: str
    headline: str
    outputs: Callable[[Labels], int]
    loss: Callable[..., Float[Any, " R"]]
    answers: Callable[[FloatArray, Labels], FloatArray]
    metrics: Callable[..., dict[str, Any]]
    columns: Callable[..., dict[str, Any]]
    evidence: Callable[[Any, Labels, int], Float[Any, " R"]]
    score_columns: Callable[[Labels], list[list[str]]]
    truth: Callable[[FloatArray, Labels], np.ndarray]
    shallow: Shallow
    shown: Shown
    trained: Callable[[FloatArray, Labels], FloatArray] = lambda values, _labels: values
    answer_column: str = ""
    statistic: Callable[..., Statistic] | None = None
    calibrations: tuple[str, ...] = ("none",)
    ranking: tuple[str, ...] = ()
    default_labels: Labels | None = None
    supports_imbalance: bool = False
    uses_threshold: bool = False
    has_classes: bool = False
    has_sets: bool = False
    has_prevalence: bool = False
    reliability: bool = False
