"""A value per residue: B-factor, disorder, conservation, chemical shift, …; a list of numbers."""

from itertools import compress

import numpy as np

from peftide.outcomes.continuous import numbers_of, odd_values, standardising
from peftide.outcomes.outcome import Labels, ReadingOptions, Targets
from peftide.sequences.records import Examples
from peftide.tasks.residue import read_entries


def fit_residue_values(examples: Examples, options: ReadingOptions) -> Labels:
    """Take mean and standard deviation of the training residues that count.

    Raises
    ------
    InputError
        If a label does not fit its sequence, or all values are equal.
    """
    return standardising(read_residue_values(examples, Labels(), options), str(examples.path))


def read_residue_values(examples: Examples, labels: Labels, options: ReadingOptions) -> Targets:
    """Read one number per residue; missing and masked residues have the mean of training.

    Numbers stand between commas, semicolons or blanks, maybe in brackets; `nan`, `NA` and an empty
    entry are missing. Residues beyond the crop are left out and counted.

    Raises
    ------
    InputError
        Naming file and line where a label or mask does not fit its sequence, or is no number.
    """
    seen = read_entries(examples, options)
    rows = np.flatnonzero(seen.counted)

    def where(counted: int) -> str:
        return seen.where(int(rows[counted]))

    values = np.full((len(seen.entries), 1), labels.centre)
    values[rows, 0] = numbers_of(list(compress(seen.entries, seen.counted)), where)
    findings = odd_values(values[:, 0], seen.counted, part=options.part, where=seen.where)
    return Targets(values, seen.counted, seen.offsets, seen.findings + findings)
