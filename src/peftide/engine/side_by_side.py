"""Batches in; what is computed from them out, in order: several at a time, a CPU thread for each.

A batch of a small model is too small to divide among threads: each step of each layer would wait
for the slowest of them.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

MOST_AT_A_TIME = 8
"""Batches whose activations are in memory; more threads than that share the work on a batch."""
FEWEST_BATCHES = 4
"""Batches per thread from which on it does not matter that some threads end earlier."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Item], Result], items: Sequence[Item], *, threads: int
) -> Iterator[Result]:
    """Yield what the work returns for each item, in order.

    Parameters
    ----------
    threads
        Threads for all of the work; with few items, they share the work on each. Afterwards torch
        uses as many as before.
    """
    at_a_time = min(threads, MOST_AT_A_TIME)
    if at_a_time <= 1 or len(items) < FEWEST_BATCHES * at_a_time:
        yield from map(work, items)
        return
    before, each = torch.get_num_threads(), threads // at_a_time
    pool = ThreadPoolExecutor(at_a_time, "batches", lambda: torch.set_num_threads(each))
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 2 * at_a_time:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(before)  # a part of torch has one setting for all threads
