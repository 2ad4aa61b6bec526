"""Rows of several proteins that stand one after the other, as one array of row numbers."""

import numpy as np

from peftide.types import IntArray


def ragged_rows(starts: IntArray, counts: IntArray) -> IntArray:
    """Return `starts[i], starts[i] + 1, …` (`counts[i]` numbers) for every i. Shape (R,).

    Examples
    --------
    >>> ragged_rows(np.array([10, 3]), np.array([2, 3])).tolist()
    [10, 11, 3, 4, 5]
    """
    before = np.cumsum(counts) - counts
    return np.repeat(starts - before, counts) + np.arange(counts.sum())
