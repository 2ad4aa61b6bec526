"""Positive pairs come in; negative pairs go out, which keep each protein's degree."""

from dataclasses import dataclass

import numpy as np

from peftide.types import IntArray

TRIES = 300
DRAWS = 4


@dataclass(frozen=True)
class SampledNegatives:
    """Drawn negatives, and the number of requested negatives that could not be drawn.

    `members` has shape (R, 2).
    """

    members: IntArray
    missing: int


def sample_negatives(
    positives: IntArray, refused: IntArray, *, ratio: float, seed: int
) -> SampledNegatives:
    """Draw negatives in which each protein occurs about `ratio` times as often as in positives.

    The second proteins of the positives are shuffled among the first ones (a configuration
    model). A refused pair, self-pair or repeated pair swaps its second protein with another drawn
    pair until both are valid (a double-edge swap). In bipartite tables (host–virus), in which no
    protein is in both columns, columns are preserved. In other tables every positive is first
    turned around at random, so that columns do not matter.

    Parameters
    ----------
    positives
        The distinct positives of one part, without self-pairs. Shape (B, 2).
    refused
        Pairs that must not be drawn, in any order: all known positives. Shape (M, 2).
    ratio
        Negatives per positive.
    seed
        Seed of the draw.

    Returns
    -------
    SampledNegatives
        The pairs. Negatives that cannot be drawn for hub proteins are counted as missing.

    Examples
    --------
    >>> ring = np.array([[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [5, 6], [6, 7], [7, 0]])
    >>> drawn = sample_negatives(ring, ring, ratio=1, seed=0)
    >>> np.bincount(drawn.members.ravel()).tolist(), drawn.missing
    ([2, 2, 2, 2, 2, 2, 2, 2], 0)
    """
    generator = np.random.default_rng(seed)
    size = int(max(positives.max(initial=0), refused.max(initial=0))) + 1
    keys = _keys(refused[:, 0], refused[:, 1], size)
    found: list[SampledNegatives] = []
    while len(found) < DRAWS and (not found or found[-1].missing):
        left, right = _dealt(positives, ratio=ratio, generator=generator)
        draw = _Draw(keys, size)
        loose = draw.accept(left, right)
        missing = sum(not draw.exchange(a, b, generator) for a, b in loose)
        members = np.array(draw.pairs, dtype=np.int64).reshape(-1, 2)
        found.append(SampledNegatives(members, missing))
    return min(found, key=lambda drawn: drawn.missing)


def _dealt(
    positives: IntArray, *, ratio: float, generator: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """First proteins, and second proteins in random order."""
    wanted = round(ratio * len(positives))
    whole, rest = divmod(wanted, max(len(positives), 1))
    extra = generator.permutation(len(positives))[:rest]
    rows = np.concatenate([np.tile(np.arange(len(positives)), whole), extra])
    ends = positives[rows]
    if len(np.intersect1d(positives[:, 0], positives[:, 1])):
        turned = generator.random(len(ends)) < 0.5
        ends = np.where(turned[:, None], ends[:, ::-1], ends)
    return ends[:, 0], generator.permutation(ends[:, 1])


def _keys(left: IntArray, right: IntArray, size: int) -> IntArray:
    """Return one number for each unordered pair."""
    return np.minimum(left, right) * size + np.maximum(left, right)


class _Draw:
    """The pairs drawn so far, and the pairs that must not be drawn."""

    def __init__(self, refused: IntArray, size: int) -> None:
        self.size = size
        self.taken: set[int] = set(refused.tolist())
        self.pairs: list[tuple[int, int]] = []

    def accept(self, left: IntArray, right: IntArray) -> list[tuple[int, int]]:
        """Accept the valid pairs; return the others."""
        loose = []
        for a, b in zip(left.tolist(), right.tolist(), strict=True):
            if self._sound(a, b):
                self.taken.add(self._key(a, b))
                self.pairs.append((a, b))
            else:
                loose.append((a, b))
        return loose

    def exchange(self, a: int, b: int, generator: np.random.Generator) -> bool:
        """Swap second proteins with a drawn pair so that both are valid; return whether it did."""
        for place in generator.integers(len(self.pairs), size=TRIES) if self.pairs else ():
            x, y = self.pairs[place]
            fits = self._sound(a, y) and self._sound(x, b) and self._key(a, y) != self._key(x, b)
            if fits:
                self.taken.remove(self._key(x, y))
                self.taken |= {self._key(a, y), self._key(x, b)}
                self.pairs[place] = (a, y)
                self.pairs.append((x, b))
                return True
        return False

    def _sound(self, a: int, b: int) -> bool:
        return a != b and self._key(a, b) not in self.taken

    def _key(self, a: int, b: int) -> int:
        return min(a, b) * self.size + max(a, b)
