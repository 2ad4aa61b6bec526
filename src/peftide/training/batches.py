"""A training set in; the batches of each epoch out: random examples, or blocks of pairs."""

import logging
from collections.abc import Callable, Sequence

import numpy as np

from peftide.distributed import Processes
from peftide.engine.blocks import Batch, block_batches, choose_blocks, has_many_partners
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

    `auto` chooses blocks if every step encodes its pairs again, and proteins have several partners
    or the user gives the number of blocks.
    """
    config, members = fitting.config, fitting.part.members
    examples, encodes = fitting.part.trained_examples(), fitting.source.encodes
    blocks = _blocks(fitting, members[examples])

    def of_pairs(epoch: int) -> list[Batch]:
        batches = epoch_batches(
            examples, seed=config.seed, epoch=epoch, batch_size=config.batch_size
        )
        return [Batch(batch) for batch in batches]

    if blocks is None:
        return of_pairs

    def of_blocks(epoch: int) -> list[Batch]:
        generator = np.random.default_rng([config.seed, epoch])
        batches = block_batches(members[examples], blocks, generator)
        return [Batch(examples[b.examples], b.proteins if encodes else None) for b in batches]

    if encodes:
        _say_blocks(of_blocks(0), of_pairs(0), members)
    return of_blocks


def _blocks(fitting: Fitting, members: IntArray) -> int | None:
    """Return the number of blocks of proteins, None for batches of pairs."""
    config = fitting.config
    pays = config.blocks is not None or has_many_partners(members)
    is_automatic = fitting.source.encodes and fitting.part.members.shape[1] == 2 and pays
    if config.sampler == "pairs" or (config.sampler == "auto" and not is_automatic):
        return None
    blocks = choose_blocks(config.epochs) if config.blocks is None else config.blocks
    return min(blocks, len(np.unique(members)))


def _say_blocks(blocks: Sequence[Batch], batches: Sequence[Batch], members: IntArray) -> None:
    """Log how often an epoch of blocks, and one of pairs, encodes each protein."""
    once, often = (sum(len(b.encoded(members)) for b in some) for some in (blocks, batches))
    logger.info(
        "block batches: an epoch encodes each of %s proteins once (pair batches: %s) in %s of "
        "about %s",
        f"{once:,}",
        count_of(round(often / once), "time"),
        count_of(len(blocks), "step"),
        count_of(round(np.mean([len(np.unique(b.examples)) for b in blocks])), "pair"),
    )
