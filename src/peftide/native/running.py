"""Compiled functions at run time: units of the CPU, a check of their numbers, and threads."""

import ctypes
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from peftide.native.building import build

UNITS = ("avx512_f", "avx512_bw", "avx512_vl", "avx512_dq")
PAIR_UNITS = ("avx512_bf16",)
"""They multiply two bf16 numbers at once; without them, fp32 units do."""
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
    """Return whether this CPU has some instructions. All functions need those of the default."""
    there = torch.cpu.get_capabilities()
    return all(there.get(unit) for unit in units)


def libraries(sources: Sequence[str]) -> Iterator[ctypes.CDLL]:
    """Yield the libraries that can be built for this CPU, the fastest first.

    An old compiler does not know all units.
    """
    if not has_units():
        return
    for has_bf16 in (True, False) if has_units(PAIR_UNITS) else (False,):
        built = build(sources, has_bf16=has_bf16)
        if built is not None:
            yield built


def first_right(
    functions: Iterable[Kind], is_right: Callable[[Kind], bool], *, warning: str
) -> Kind | None:
    """Return the first whose numbers are right; None, with a warning if some were wrong."""
    is_wrong = False
    for function in functions:
        if is_right(function):
            return function
        is_wrong = True
    if is_wrong:
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
        threads = _beside.threads(len(shares) - 1)
        others = [threads.submit(work, share) for share in shares[1:]]
    return [work(shares[0]), *(other.result() for other in others)]


class _Beside(threading.local):
    """The threads beside each caller's own; a forked process needs its own, too."""

    pool: ThreadPoolExecutor | None = None
    made_for: tuple[int, int] = (0, 0)

    def threads(self, count: int) -> ThreadPoolExecutor:
        """Return so many threads."""
        wanted = (count, os.getpid())
        if self.pool is None or self.made_for != wanted:
            self.pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="compiled")
            self.made_for = wanted
        return self.pool


_beside = _Beside()
