"""Batches in, their results out, in order. Several CPU threads work, each on a batch of its own.

A batch of a small model is too small to divide among threads: each step of each layer would wait
for the slowest of them.
"""

import ctypes
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

import torch

MOST_AT_A_TIME = 8
"""Batches whose activations are in memory; more threads than that share the work on a batch."""
FEWEST_BATCHES = 4
"""Batches per thread from which on it does not matter that some threads end earlier."""
SECONDS_PER_WAIT = 0.5

Item = TypeVar("Item")
Result = TypeVar("Result")


def at_a_time(items: int, threads: int) -> int:
    """Return how many of the items are worked on at the same time.

    Examples
    --------
    >>> at_a_time(100, threads=4), at_a_time(100, threads=64), at_a_time(7, threads=4)
    (4, 8, 1)
    """
    most = min(threads, MOST_AT_A_TIME)
    return most if items >= FEWEST_BATCHES * most else 1


def side_by_side(
    work: Callable[[Item], Result], items: Sequence[Item], *, threads: int
) -> Generator[Result, None, None]:
    """Yield the results of similar work on each item, in order.

    Close the generator if you leave it early: running work ends, and torch uses as many threads as
    before. Only one such call at a time may run in a process.

    Parameters
    ----------
    threads
        Threads for all of the work. With few items, torch's threads share the work on each.
    """
    workers = at_a_time(len(items), threads)
    if workers <= 1:
        yield from map(work, items)
        return
    before, running = torch.get_num_threads(), _Running()
    shares = [threads // workers + (n < threads % workers) for n in range(workers)]
    pool = ThreadPoolExecutor(workers, "batches", lambda: torch.set_num_threads(shares.pop()))
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(running.run, work, item))
            if len(waiting) > workers:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())
    finally:
        try:
            pool.shutdown(wait=False, cancel_futures=True)
            running.stop()
            pool.shutdown()
        finally:
            torch.set_num_threads(before)  # a part of torch has one setting for all threads


def _result(future: Future[Result]) -> Result:
    """Wait in short turns, because a signal that comes just before a wait does not end it."""
    while not future.done():
        wait([future], timeout=SECONDS_PER_WAIT)
    return future.result()


class _Running:
    """Work that runs in threads and can be stopped between two steps of Python."""

    def __init__(self) -> None:
        self.threads: set[int] = set()
        self.lock = threading.Lock()

    def run(self, work: Callable[[Item], Result], item: Item) -> Result:
        """Return the result of the work."""
        own = threading.get_ident()
        with self.lock:
            self.threads.add(own)
        try:
            return work(item)
        finally:
            with self.lock:
                self.threads.discard(own)

    def stop(self) -> None:
        """Raise KeyboardInterrupt in all threads that are inside `run`."""
        with self.lock:
            for thread in self.threads:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt)
                )
