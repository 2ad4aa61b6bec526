"""Blocks of proteins, each with all pairs of its proteins: an epoch encodes every protein once.

::

             block 1   block 2   block 3         one batch = one row: the step encodes the proteins
    block 1     ●         ●         ●            of its block, with a graph. Their partners outside
    block 2     ●         ●         ●            the block have the vector that the last step which
    block 3     ●         ●         ●            encoded them left in the vector bank.
"""

import math
from dataclasses import dataclass

import numpy as np

from peftide.types import IntArray

FEWEST_BLOCKS = 16
FEWEST_STEPS = 32
"""Minimum steps of a training: with 32 steps it learned as much as with 72 or 144."""
FEWEST_PARTNERS = 2
"""Blocks pay if proteins have more partners than this on average."""


@dataclass(frozen=True)
class Batch:
    """The examples of one optimizer step.

    Attributes
    ----------
    examples
        Their indices; a pair of two proteins of a block is there twice. Shape (B,).
    proteins
        The proteins to encode, sorted, if their partners' vectors come from the vector bank. None:
        all proteins of the examples.
    """

    examples: IntArray
    proteins: IntArray | None = None

    def __len__(self) -> int:
        return len(self.examples)

    def encoded(self, members: IntArray) -> IntArray:
        """Return the proteins that the step encodes, sorted, from the members of every example."""
        return np.unique(members[self.examples]) if self.proteins is None else self.proteins


def block_batches(members: IntArray, blocks: int, generator: np.random.Generator) -> list[Batch]:
    """Return one batch per random block of proteins; every pair occurs twice, once per protein.

    Parameters
    ----------
    members
        Proteins of each pair. Shape (B, 2).
    blocks
        Number of blocks of equal size into which the proteins are split.

    Examples
    --------
    >>> pairs = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
    >>> for batch in block_batches(pairs, 2, np.random.default_rng(1)):
    ...     print(batch.proteins.tolist(), sorted(batch.examples.tolist()))
    [0, 2] [0, 1, 2, 3]
    [1, 3] [0, 1, 2, 3]
    """
    proteins, local = np.unique(members, return_inverse=True)
    block = generator.permutation(len(proteins)) % blocks
    examples, side = np.divmod(generator.permutation(members.size), 2)
    owner = block[local.reshape(members.shape)][examples, side]
    order = np.argsort(owner, kind="stable")
    inside = np.split(examples[order], np.searchsorted(owner[order], np.arange(1, blocks)))
    return [Batch(own, proteins[block == k]) for k, own in enumerate(inside) if len(own)]


def sides(examples: IntArray, members: IntArray, proteins: IntArray) -> tuple[IntArray, IntArray]:
    """Return where some proteins are among pairs: the pair, and the place in it (0 or 1).

    Examples
    --------
    >>> pairs = np.array([[0, 1], [1, 2], [2, 3]])
    >>> [found.tolist() for found in sides(np.arange(3), pairs, np.array([1, 2]))]
    [[0, 1, 1, 2], [1, 0, 1, 0]]
    """
    rows, places = np.nonzero(np.isin(members[examples], proteins))
    return examples[rows], places


def has_many_partners(members: IntArray) -> bool:
    """Return whether the proteins of these pairs have so many partners that blocks pay.

    Examples
    --------
    >>> everyone = np.stack(np.triu_indices(100, 1), axis=1)
    >>> has_many_partners(everyone), has_many_partners(everyone[:99])  # 99: pairs of one protein
    (True, False)
    """
    return members.size > FEWEST_PARTNERS * len(np.unique(members))


def choose_blocks(epochs: int) -> int:
    """Return the number of blocks: the fewer epochs, the more, because a training needs steps.

    Examples
    --------
    >>> choose_blocks(20), choose_blocks(1)
    (16, 32)
    """
    return max(FEWEST_BLOCKS, math.ceil(FEWEST_STEPS / epochs))
