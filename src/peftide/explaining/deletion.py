"""The attribution of a protein → the deletion test, which says whether it is faithful.

The test hides the most attributed residues first, then more and more residues, and notes the score
at each step. It repeats this with residues in random order. If the attribution is faithful, the
score falls faster in the attributed order.

References: Samek et al. 2017, doi 10.1109/TNNLS.2016.2599820; Petsiuk et al. 2018, arXiv
1806.07421, section 3.2.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from peftide.explaining.scoring import masked
from peftide.types import FloatArray, IntArray

SHARES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
"""Shares of the residues that are hidden, one after the other."""
ORDERS = 20
"""Random orders beside the attributed one."""


@dataclass(frozen=True)
class Deletion:
    """The scores of one protein while its residues are hidden.

    Attributes
    ----------
    hidden
        Number of hidden residues, from 0. Shape (S,).
    attributed
        Score when the most attributed residues are hidden. Shape (S,).
    random
        The same for each random order. Shape (orders, S).
    """

    hidden: IntArray
    attributed: FloatArray
    random: FloatArray

    @property
    def area(self) -> float:
        """Mean fall of the score over the shares of hidden residues."""
        return float(self._areas(self.attributed[None])[0])

    @property
    def random_areas(self) -> FloatArray:
        """The area of each random order. Shape (orders,)."""
        return self._areas(self.random)

    @property
    def lead(self) -> float:
        """The area less the mean area of random orders."""
        return self.area - float(self.random_areas.mean())

    @property
    def is_ahead(self) -> bool:
        """Whether the area is larger than in every random order."""
        return bool(self.area > self.random_areas.max())

    def _areas(self, scores: FloatArray) -> FloatArray:
        shares = self.hidden / max(self.hidden[-1], 1)
        return np.trapezoid(scores[:, :1] - scores, shares, axis=1)


def delete(
    sequence: str,
    attribution: FloatArray,
    score: Callable[[Sequence[str]], FloatArray],
    *,
    seed: int = 0,
) -> Deletion:
    """Hide residues in the order of an attribution, and in random orders.

    Parameters
    ----------
    attribution
        Contribution of each residue to the score. Shape (L,).
    score
        Sequences → their scores.
    seed
        Seed of the random orders.

    Examples
    --------
    >>> has_w = lambda texts: np.array([float("W" in text) for text in texts])
    >>> found = delete("AAWAAAAAAA", np.arange(10) == 2, has_w)
    >>> found.attributed.tolist()[:3], found.lead > 0
    ([1.0, 0.0, 0.0], True)
    """
    count = len(sequence)
    generator = np.random.default_rng(seed)
    orders = [np.argsort(-np.asarray(attribution, dtype=np.float64), kind="stable")]
    orders += [generator.permutation(count) for _ in range(ORDERS)]
    hidden = np.unique([0, *(max(1, round(share * count)) for share in SHARES)])
    texts = [masked(sequence, order[:size].tolist()) for order in orders for size in hidden]
    found = score(texts).reshape(len(orders), len(hidden))
    return Deletion(hidden, found[0], found[1:])
