"""A labelled part of a data set → the rows that are scored, and the units behind them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from peftide.metrics import Support, Units, label_support
from peftide.metrics.weighted import Name
from peftide.sequences import Dataset, Examples, distinct_sequences
from peftide.similarity.reference import changes
from peftide.tasks import Labels, Targets, Task
from peftide.types import FloatArray, IntArray

MOST_COMBINATIONS = 0.1
"""Largest share of variants with several substitutions in a part whose sites are resampled."""


@dataclass(frozen=True)
class ScoredPart:
    """One part of a data set with its labels as numbers.

    Attributes
    ----------
    name
        Name of the part in the data set.
    targets
        Labels of its rows as numbers, read with the `labels` of the training part.
    """

    task: Task
    labels: Labels
    dataset: Dataset
    name: str
    targets: Targets

    @property
    def examples(self) -> Examples:
        """The rows of the table."""
        return self.dataset.parts[self.name]

    def rows(self) -> "LabelledRows":
        """Return the rows that enter the scores."""
        kind, members = unit_members(self.dataset, self.examples)
        per_row = np.repeat(members, np.diff(self.targets.offsets), axis=0)
        counted = self.targets.counted
        units = Units(per_row[counted], kind)
        return LabelledRows(self.task, self.labels, self.targets.values[counted], units)


@dataclass(frozen=True)
class LabelledRows:
    """Rows that enter the scores.

    Attributes
    ----------
    values
        Labels as numbers. Shape (R, K).
    units
        Proteins, sequences or clusters behind each row, which intervals resample.
    """

    task: Task
    labels: Labels
    values: FloatArray
    units: Units

    def support(self) -> dict[Name, Support]:
        """Return the units with positives and negatives of each class; empty for numbers."""
        if not self.task.outcome.supports_imbalance:
            return {}
        outcome, names = self.task.outcome, self.labels.class_names
        return label_support(self.values, self.units, names, by_class=outcome.has_classes)


def unit_members(dataset: Dataset, examples: Examples) -> tuple[str, IntArray]:
    """Return the kind of the resampled units, and the units of each example. Shape (B, A)."""
    numbers = distinct_sequences(dataset.proteins)[examples.members]
    if numbers.shape[1] == 2:
        return "protein", numbers
    if examples.clusters is None:
        sites = first_sites(dataset, examples)
        return ("sequence", numbers) if sites is None else ("site", sites)
    # a sequence without a cluster is a cluster by itself
    names = [name or f"\t{number}" for name, number in zip(examples.clusters, numbers, strict=True)]
    return "cluster", pd.factorize(np.array(names, dtype=object))[0].astype(np.int64)[:, None]


def first_sites(dataset: Dataset, examples: Examples) -> IntArray | None:
    """Return the first site at which each variant changes; None if many change at several.

    Substitutions at one site resemble each other. The wild type is a site by itself. Shape (B, 1).
    """
    if dataset.wild_type is None:
        return None
    used, places = np.unique(examples.members[:, 0], return_inverse=True)
    sequences = [dataset.proteins.sequences[protein] for protein in used]
    found = changes(sequences, dataset.wild_type)
    several = np.bincount(found.sequence, minlength=len(used)) > 1
    if not len(found.site) or several[places].mean() > MOST_COMBINATIONS:
        return None
    sites = np.full(len(used), -1)
    changed, first = np.unique(found.sequence, return_index=True)
    sites[changed] = found.site[first]
    return sites[places][:, None]
