"""Compiled functions at run time: units of the CPU, a check of their numbers, and threads."""

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import torch

UNITS = ("avx512_f", "avx512_bw", "avx512_vl", "avx512_dq")
BF16_UNITS = ("avx512_bf16",)
TILES = ("amx_tile", "amx_bf16")
SMALLEST_SHARE = 128
"""Tokens for which another thread is worth its start."""

logger = logging.getLogger(__name__)

Function = Callable[..., int]
"""A compiled function; it returns 0 if all went well."""
Kind = TypeVar("Kind")
Share = tuple[int, int]
"""From and to which item a thread works."""


def has_units(units: Sequence[str] = UNITS) -> bool:
    """Return whether this CPU has some instructions; default: those that all functions need."""
    there = torch.cpu.get_capabilities()
    return all(there.get(unit) for unit in units)


def first_right(
    functions: Iterable[Kind], is_right: Callable[[Kind], bool], *, warning: str
) -> Kind | None:
    """Return the first function, or library, whose numbers are right; else None, with a warning."""
    for function in functions:
        if is_right(function):
            return function
    logger.warning(warning)
    return None


def shares_of(tokens: int) -> list[Share]:
    """Divide tokens equally among as many threads as are worth it.

    Examples
    --------
    >>> shares_of(40)
    [(0, 40)]
    """
    threads = max(1, min(torch.get_num_threads(), tokens // SMALLEST_SHARE))
    edges = [tokens * i // threads for i in range(threads + 1)]
    return list(zip(edges[:-1], edges[1:], strict=True))


def in_threads(work: Callable[[Share], int], shares: Sequence[Share]) -> list[int]:
    """Return what the work on each share returns; the first share runs in the caller's thread."""
    others = []
    if len(shares) > 1:
        threads = _threads(len(shares) - 1, os.getpid())
        others = [threads.submit(work, share) for share in shares[1:]]
    return [work(shares[0]), *(other.result() for other in others)]


@lru_cache(maxsize=1)
def _threads(count: int, _process: int) -> ThreadPoolExecutor:
    """Return the threads beside the caller's; a forked process needs its own."""
    return ThreadPoolExecutor(max_workers=count, thread_name_prefix="compiled")
