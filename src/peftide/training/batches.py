"""A training set in; the batches of each epoch out: random examples, or blocks of pairs."""

import logging
import math
from collections.abc import Callable, Sequence

import numpy as np

from peftide.distributed import Processes
from peftide.engine.blocks import Batch, block_batches, choose_blocks
from peftide.errors import InputError
from peftide.quantities import count_of
from peftide.training.parts import Fitting
from peftide.types import IntArray

logger = logging.getLogger(__name__)

Batches = Callable[[int], list[Batch]]


def epoch_batches(examples: IntArray, *, seed: int, epoch: int, batch_size: int) -> list[IntArray]:
    """Return the batches of an epoch, determined by seed and epoch.

    Examples
    --------
    >>> [len(batch) for batch in epoch_batches(np.arange(5), seed=0, epoch=0, batch_size=2)]
    [2, 2, 1]
    """
    order = np.random.default_rng([seed, epoch]).permutation(examples)
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def check_shares(batches: Sequence[Batch], processes: Processes) -> None:
    """Check that each process has a share of the largest batch.

    Raises
    ------
    InputError
        If there are more processes than examples.
    """
    largest = max(map(len, batches), default=0)
    if largest < processes.count:
        raise InputError(
            f"{processes.count} processes share batches of at most {count_of(largest, 'example')}",
            expected="an example for each process",
            fix="Start fewer processes, or raise --batch-size (or lower --blocks)",
        )


def choose_batches(fitting: Fitting) -> Batches:
    """Return a function from an epoch (from 0) to its batches, for the sampler of the run.

    `auto` chooses blocks if every step encodes its pairs again and proteins have several partners.
    """
    config, members = fitting.config, fitting.part.members
    examples, encodes = fitting.part.trained_examples(), math.isfinite(fitting.source.budget)
    blocks = _blocks(fitting, members[examples])

    def of_pairs(epoch: int) -> list[Batch]:
        batches = epoch_batches(
            examples, seed=config.seed, epoch=epoch, batch_size=config.batch_size
        )
        return [Batch(batch) for batch in batches]

    def of_blocks(epoch: int) -> list[Batch]:
        generator = np.random.default_rng([config.seed, epoch])
        batches = block_batches(members[examples], blocks, generator)
        return [Batch(examples[b.examples], b.proteins if encodes else None) for b in batches]

    return of_blocks if blocks > 1 else of_pairs


def _blocks(fitting: Fitting, members: IntArray) -> int:
    """Return the number of blocks of proteins, 1 for batches of pairs; log it."""
    config = fitting.config
    if config.sampler == "pairs" or (config.sampler == "auto" and not _reencodes_pairs(fitting)):
        return 1
    chosen = choose_blocks(members, epochs=config.epochs)
    proteins = len(np.unique(members))
    blocks = min(chosen if config.blocks is None else config.blocks, proteins)
    if blocks > 1:
        logger.info(
            "block batches: an epoch encodes each of %s proteins once (pair batches: %.0f times) "
            "in %s steps of about %s",
            f"{proteins:,}",
            members.size / proteins,
            blocks,
            count_of(members.size // blocks, "pair"),
        )
    return blocks


def _reencodes_pairs(fitting: Fitting) -> bool:
    return fitting.part.members.shape[1] == 2 and math.isfinite(fitting.source.budget)
