"""What is asked: how labels are read, what is minimised, and what is measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from torch import Tensor

from peftide.metrics import Statistic
from peftide.ragged import ragged_rows
from peftide.sequences.records import Examples, Finding
from peftide.types import BoolArray, FloatArray, IntArray, Level

Imbalance = Literal["none", "weights", "logit_adjustment"]


@dataclass(frozen=True)
class Labels:
    """What the labels of the training part look like; stored with the model.

    Attributes
    ----------
    class_names
        Classes in the order of the logits; empty for values.
    class_counts
        Training rows of each class (of a row with two classes, half for each, unless any number
        of classes may be right at once: then one for each).
    class_map
        Label text → class name, where the two differ.
    centre, spread
        Mean and standard deviation of training values.
    rows
        Training rows that count, where a row may have any number of classes.
    """

    class_names: tuple[str, ...] = ()
    class_counts: tuple[float, ...] = ()
    class_map: Mapping[str, str] = field(default_factory=dict)
    centre: float = 0.0
    spread: float = 1.0
    rows: float = 0.0


@dataclass(frozen=True)
class Targets:
    """Labels as numbers.

    Attributes
    ----------
    values
        0 or 1 (binary, multilabel), class membership that sums to 1, or to 0 for a class that train
        does not have (categorical), or a value. Shape (R, K).
    counted
        Rows that enter training and metrics. Shape (R,).
    offsets
        Rows of example i are `offsets[i]:offsets[i + 1]`: one, or one per residue.
        Shape (B + 1,).
    findings
        What was counted while reading.
    """

    values: FloatArray
    counted: BoolArray
    offsets: IntArray
    findings: tuple[Finding, ...] = ()

    def rows(self, examples: IntArray) -> IntArray:
        """Return the rows of some examples, in their order."""
        return ragged_rows(self.offsets[examples], np.diff(self.offsets)[examples])


@dataclass(frozen=True)
class Outcome:
    """One kind of answer: yes or no, one of several classes, a set of classes, or a value.

    Attributes
    ----------
    headline
        The metric that chooses the best epoch; higher is better.
    outputs
        Labels → K, the number of logits.
    loss
        (logits, values, labels, imbalance=) → loss of each row. Shape (R,).
    answers
        (logits, labels) → probability (R,), probabilities (R, K) or value (R,).
    metrics
        (values, answers, labels, threshold=) → name → number, maybe with a `per_class` entry.
    columns
        (logits, labels, threshold=) → columns of the prediction table.
    supports_imbalance
        Whether rare classes mean anything here.
    uses_threshold
        Whether yes is said from a probability on, which validation chooses.
    """

    kind: Literal["binary", "categorical", "multilabel", "continuous"]
    headline: str
    outputs: Callable[[Labels], int]
    loss: Callable[..., Float[Tensor, " R"]]
    answers: Callable[[FloatArray, Labels], FloatArray]
    metrics: Callable[..., dict[str, Any]]
    columns: Callable[..., dict[str, Any]]
    supports_imbalance: bool
    uses_threshold: bool = False
    statistic: Callable[..., Statistic] | None = None
    calibrations: tuple[str, ...] = ("none",)
    truth: Callable[[FloatArray, Labels], Any] = lambda values, _labels: values[:, 0]
    has_classes: bool = False
    has_sets: bool = False
    score_columns: Callable[[Labels], list[list[str]]] = lambda _labels: [["score"], ["prediction"]]
    ranking: tuple[str, ...] = ()
    reliability: bool = False


@dataclass(frozen=True)
class ReadingOptions:
    """What reading labels depends on besides the table.

    Attributes
    ----------
    part
        Name of the part, for what is counted.
    residues
        Residues that the model sees of each example's first protein, after cropping. Shape (B,).
    lengths
        Residues of the same proteins before cropping. Shape (B,).
    class_map
        File that merges labels, or None.
    """

    part: str
    residues: IntArray
    lengths: IntArray
    class_map: Path | None = None


@dataclass(frozen=True)
class Task:
    """One question, as one value in `TASKS`.

    Attributes
    ----------
    summary
        One line for the documentation.
    level
        What one label belongs to: a pair, a sequence or a residue.
    fit_labels
        Training examples → `Labels`.
    read_targets
        Examples of any part → `Targets`; every label that cannot be read is an error.
    """

    summary: str
    level: Level
    outcome: Outcome
    fit_labels: Callable[[Examples, ReadingOptions], Labels]
    read_targets: Callable[[Examples, Labels, ReadingOptions], Targets]
