"""Batches of pairs that share proteins: all pairs between two blocks of proteins.

::

             block 1   block 2   block 3         one batch = one cell: its pairs need the proteins
    block 1     ●         ●         ●            of two blocks, each encoded once, however many
    block 2               ●         ●            pairs the cell holds. With G blocks every protein
    block 3                         ●            is encoded at most G times in an epoch.
"""

import math

import numpy as np

from peftide.types import IntArray

FEWEST_BLOCKS, MOST_BLOCKS = 4, 16
SAVING = 8
FEWEST_STEPS = 72
"""Minimum steps of a training: with 20 steps blocks learnt less than pairs, with 72 as much."""


def block_batches(members: IntArray, blocks: int, generator: np.random.Generator) -> list[IntArray]:
    """Return the pairs of each batch; every pair occurs once, blocks and order are random.

    Parameters
    ----------
    members
        Proteins of each pair. Shape (B, 2).
    blocks
        G, the number of random blocks of equal size into which the proteins are split.

    Returns
    -------
    At most G(G+1)/2 batches of indices into `members`; cells without pairs are left out.

    Examples
    --------
    >>> pairs = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
    >>> batches = block_batches(pairs, 2, np.random.default_rng(0))
    >>> sorted(np.concatenate(batches).tolist()), len(batches) <= 3
    ([0, 1, 2, 3], True)
    """
    proteins, local = np.unique(members, return_inverse=True)
    block = generator.permutation(len(proteins)) % blocks
    low, high = np.sort(block[local.reshape(members.shape)], axis=1).T
    cell = low * blocks + high
    order = generator.permutation(len(members))
    order = order[np.argsort(cell[order], kind="stable")]
    batches = np.split(order, np.flatnonzero(np.diff(cell[order])) + 1)
    return [batches[index] for index in generator.permutation(len(batches))]


def choose_blocks(members: IntArray, epochs: int) -> int:
    """Return the number of blocks for the proteins of these pairs; 1 if blocks save nothing.

    A protein in d pairs is encoded d times with batches of pairs, and at most G times with blocks.
    G is chosen for an eightfold saving, within bounds, but large enough that a training with this
    number of epochs has more than a few large steps.

    Examples
    --------
    >>> everyone = np.stack(np.triu_indices(100, 1), axis=1)
    >>> choose_blocks(everyone, 20), choose_blocks(everyone[:99], 20)
    (12, 1)
    """
    degree = 2 * len(members) / len(np.unique(members))
    for_steps = math.ceil((math.sqrt(1 + 8 * FEWEST_STEPS / epochs) - 1) / 2)
    blocks = int(np.clip(max(degree // SAVING, for_steps), FEWEST_BLOCKS, MOST_BLOCKS))
    return blocks if degree > blocks else 1
