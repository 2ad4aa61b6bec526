"""Random assignment of rows to parts: equal label shares, repeats of an example together."""

import numpy as np

from peftide.types import BoolArray, FloatArray, IntArray


def split_at_random(
    asked: IntArray, counted: BoolArray, strata: IntArray, *, fractions: FloatArray, seed: int
) -> IntArray:
    """Return the part of each row.

    Parameters
    ----------
    asked
        Number of each row's example, from `distinct_examples`. Shape (B,).
    counted
        Rows that count towards the size of a part. Shape (B,).
    strata
        Class of each row, from 0; parts get equal shares of each class. Shape (B,).
    fractions
        Requested share of each part.
    seed
        Seed of the choice.

    Returns
    -------
    IntArray
        Index of the part. Shape (B,).

    Examples
    --------
    >>> rows, wish = np.arange(10), np.array([0.8, 0, 0.2])
    >>> parts = split_at_random(rows, rows >= 0, rows % 2, fractions=wish, seed=0)
    >>> np.bincount(parts, minlength=3).tolist()
    [8, 0, 2]
    """
    generator = np.random.default_rng(seed)
    _, first, number = np.unique(asked, return_index=True, return_inverse=True)
    sizes = np.bincount(number, weights=counted)
    order = np.lexsort((generator.random(len(first)), strata[first]))
    part = np.empty(len(first), dtype=np.int64)
    # each example goes to the part with the largest deficit: exact in total, nearly so per class
    behind = [0.0] * len(fractions)
    shares = fractions.tolist()
    for example, size in zip(order.tolist(), sizes[order].tolist(), strict=True):
        behind = [have + share * size for have, share in zip(behind, shares, strict=True)]
        chosen = max(range(len(shares)), key=behind.__getitem__)
        behind[chosen] -= size
        part[example] = chosen
    return part[number]
