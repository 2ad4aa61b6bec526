"""Rows of a part → `strata.tsv`: true labels, and the properties by which a report groups rows."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from peftide.evaluation.rows import ScoredPart
from peftide.outcomes import TRUTH
from peftide.sequences import Dataset, Examples, distinct_sequences
from peftide.types import BoolArray, FloatArray, IntArray

SEEN = {"pair": ("none_seen", "one_seen", "both_seen"), "sequence": ("unseen", "seen")}
"""Level → name of a row whose proteins were in training: none first, all last."""


@dataclass(frozen=True)
class Trained:
    """Relation of each protein of a data set to the training part.

    Attributes
    ----------
    seen
        Whether its sequence was trained on. Shape (P,).
    pairs
        Number of training pairs of the protein, or None if unknown. Shape (P,).
    similarity
        Highest identity to a training sequence, 0 if none is similar, or None. Shape (P,).
    """

    seen: BoolArray
    pairs: IntArray | None
    similarity: FloatArray | None = None


def trained_by(dataset: Dataset) -> Trained:
    """Return the relation of each protein of a data set to its training part."""
    numbers = distinct_sequences(dataset.proteins)
    return Trained(
        np.isin(numbers, numbers[dataset.parts["train"].members]),
        pairs_of_each(dataset.parts["train"], numbers),
    )


def reported_parts(parts: Iterable[str]) -> list[str]:
    """Return the parts of the prediction table: the tests, or validation if there is none.

    Examples
    --------
    >>> reported_parts(["train", "validation", "test"]), reported_parts(["train", "validation"])
    (['test'], ['validation'])
    """
    return [part for part in parts if part not in ("train", "validation")] or ["validation"]


def pairs_of_each(examples: Examples, numbers: IntArray) -> IntArray:
    """Return the number of counted rows of each protein, merged by sequence. Shape (P,)."""
    named = np.sort(numbers[examples.members[examples.counted]], axis=1)
    selfs = (named[:, 0] == named[:, -1]) & (named.shape[1] > 1)
    once = np.concatenate([named[:, 0], named[~selfs, -1]]) if named.shape[1] > 1 else named.ravel()
    return np.bincount(once, minlength=len(numbers))[numbers]


def strata_table(part: ScoredPart, trained: Trained) -> pd.DataFrame:
    """Return one row per row of the prediction table of a part, in its order.

    `truth` is 1 or 0, the classes separated by bars, or the value. `length` is the number of
    residues in the sequence, or in the longer one of a pair. `pairs_in_part` and `pairs_in_train`
    count the pairs of a protein; for a pair, the larger count. `seen` says whether the proteins
    were in training. `similarity` is the highest identity to a training sequence (for a pair, the
    lower one), or 0 if nothing similar was found.
    """
    targets = part.targets
    columns = {TRUTH: part.task.outcome.truth(targets.values, part.labels)}
    repeats = np.diff(targets.offsets)
    for name, values in example_strata(part, trained):
        columns[name] = np.repeat(values, repeats)
    return pd.DataFrame(columns)


def example_strata(part: ScoredPart, trained: Trained) -> list[tuple[str, np.ndarray]]:
    """Return the name of each property that groups rows, with one value per example."""
    dataset, examples, level = part.dataset, part.examples, part.task.level
    lengths = np.array([len(sequence) for sequence in dataset.proteins.sequences], dtype=np.int64)
    strata: list[tuple[str, np.ndarray]] = [("length", lengths[examples.members].max(axis=1))]
    if level in SEEN:
        seen = trained.seen[examples.members].sum(axis=1)
        strata.append(("seen", np.array(SEEN[level], dtype=object)[seen]))
    if trained.similarity is not None:
        strata.append(("similarity", trained.similarity[examples.members].min(axis=1)))
    if level == "pair":
        numbers = distinct_sequences(dataset.proteins)
        here = pairs_of_each(examples, numbers)
        strata.append(("pairs_in_part", here[examples.members].max(axis=1)))
        if trained.pairs is not None:
            strata.append(("pairs_in_train", trained.pairs[examples.members].max(axis=1)))
    return strata
