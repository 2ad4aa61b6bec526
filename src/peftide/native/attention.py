"""Attention in packed rows, compiled: queries, keys and values in bf16 → mixed values, on a CPU.

It takes a third to a half of the time of torch's own attention, which is half of the time of a
small ESM-2.
"""

import ctypes
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from peftide.native.building import build, find_compiler
from peftide.types import IntArray

logger = logging.getLogger(__name__)

SOURCE = "attention.c"
UNITS = ("avx512_f", "avx512_bw", "avx512_vl", "avx512_dq", "avx512_bf16")
WIDTHS = frozenset({16, 24, 32, 64, 128})
"""Numbers per attention head for which the source has a loop."""
NOT_ENOUGH_MEMORY = 1
LARGEST_ERROR = 0.05
"""Largest error that the check of a new library accepts; bf16 alone makes up to 0.02 of it."""

Turns = tuple[Float[Tensor, "1 N width"], Float[Tensor, "1 N width"]]


class Rows(ctypes.Structure):
    """The arguments of the compiled function, as `Rows` in the source."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("query", "key", "value", "cosine", "sine")),
        *((name, ctypes.c_void_p) for name in ("out", "ends")),
        *((name, ctypes.c_int64) for name in ("heads", "width")),
        *((name, ctypes.c_int64) for name in ("query_row", "key_row", "value_row", "turn_row")),
        ("scale", ctypes.c_float),
    ]


def is_compiled(*inputs: Float[Tensor, "*heads width"]) -> bool:
    """Return whether `attend_compiled` takes these queries, keys and values.

    It takes bf16 on a CPU with the instructions for it, without gradients.
    """
    query = inputs[0]
    return (
        query.device.type == "cpu"
        and query.dtype is torch.bfloat16
        and query.shape[-1] in WIDTHS
        and not (torch.is_grad_enabled() and any(tensor.requires_grad for tensor in inputs))
        and library() is not None
    )


def attend_compiled(
    inputs: Sequence[Float[Tensor, "1 heads N width"]],
    lengths: Sequence[int],
    *,
    scale: float,
    turns: Turns | None = None,
) -> Float[Tensor, "1 N heads width"]:
    """Attend within each sequence of a packed row.

    Parameters
    ----------
    inputs
        Queries, keys and values for which `is_compiled` is true.
    lengths
        Tokens of each sequence; they sum to N.
    scale
        Factor of the scores.
    turns
        Cosine and sine of the rotary positions, if queries and keys are not turned yet.

    Raises
    ------
    MemoryError
        If the scores of eight tokens of the longest sequence do not fit into memory.
    """
    compiled = library()
    assert compiled is not None, "is_compiled was false"
    return _attend(compiled, inputs, lengths, scale=scale, turns=turns)


def _attend(
    compiled: ctypes.CDLL,
    inputs: Sequence[Float[Tensor, "1 heads N width"]],
    lengths: Sequence[int],
    *,
    scale: float,
    turns: Turns | None = None,
) -> Float[Tensor, "1 N heads width"]:
    query, key, value = (_by_token(tensor) for tensor in inputs)
    tokens, heads, width = query.shape
    out = torch.empty((tokens, heads, width), dtype=query.dtype)
    ends = np.cumsum([0, *lengths], dtype=np.int64)
    rows = Rows(
        *(tensor.data_ptr() for tensor in (query, key, value)),
        out=out.data_ptr(),
        ends=ends.ctypes.data,
        heads=heads,
        width=width,
        query_row=query.stride(0),
        key_row=key.stride(0),
        value_row=value.stride(0),
        scale=scale,
    )
    if turns is not None:
        cosine, sine = (turn[0].float() for turn in turns)
        rows.cosine, rows.sine, rows.turn_row = cosine.data_ptr(), sine.data_ptr(), cosine.stride(0)
    _run(compiled, rows, _shares(np.asarray(lengths), heads, torch.get_num_threads()))
    return out[None]


def _by_token(tensor: Float[Tensor, "1 heads N width"]) -> Float[Tensor, "N heads width"]:
    """Return a tensor whose heads lie side by side in each token."""
    by_token = tensor[0].transpose(0, 1)
    heads_side_by_side = by_token.stride(2) == 1 and by_token.stride(1) == by_token.shape[2]
    return by_token if heads_side_by_side else by_token.contiguous()


def _shares(lengths: IntArray, heads: int, threads: int) -> list[tuple[int, int]]:
    """Divide sequences and heads, counted sequence by sequence, into equal work for each thread.

    Examples
    --------
    >>> _shares(np.array([10, 10, 20]), heads=2, threads=2)
    [(0, 4), (4, 6)]
    """
    work = np.repeat(lengths.astype(float) ** 2, heads)
    middles = np.cumsum(work) - work / 2
    cuts = np.searchsorted(middles, work.sum() * np.arange(1, threads) / threads)
    edges = np.unique([0, *cuts, len(work)]).tolist()
    return list(zip(edges[:-1], edges[1:], strict=True))


def _run(compiled: ctypes.CDLL, rows: Rows, shares: Sequence[tuple[int, int]]) -> None:
    def work(share: tuple[int, int]) -> int:
        return compiled.peftide_attend(ctypes.byref(rows), *share)  # without Python's lock

    others = []
    if len(shares) > 1:
        threads = _threads(len(shares) - 1, os.getpid())
        others = [threads.submit(work, share) for share in shares[1:]]
    results = [work(shares[0]), *(other.result() for other in others)]
    if NOT_ENOUGH_MEMORY in results:
        raise MemoryError("not enough memory for the attention of the longest sequence")
    assert not any(results), "a width that is not compiled"


@lru_cache(maxsize=1)
def _threads(count: int, _process: int) -> ThreadPoolExecutor:
    """Return the threads beside the caller's; a forked process needs its own."""
    return ThreadPoolExecutor(max_workers=count, thread_name_prefix="attention")


def state() -> str:
    """Return whether attention in bf16 is compiled on this machine, or what it lacks."""
    if not has_units():
        return "torch: the compiled one needs a CPU with AVX512-BF16"
    if library() is not None:
        return "compiled"
    if find_compiler() is None:
        return "torch: with a C compiler (gcc or clang), attention in bf16 would be faster"
    return "torch: the compiled one could not be built, or gives wrong numbers"


def has_units() -> bool:
    """Return whether this CPU has the instructions of the compiled attention."""
    there = torch.cpu.get_capabilities()
    return all(there.get(unit) for unit in UNITS)


@cache
def library() -> ctypes.CDLL | None:
    """Return the compiled library, or None where it cannot be had or is wrong."""
    built = build(SOURCE) if has_units() else None
    if built is None:
        return None
    built.peftide_attend.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64]
    if not _is_right(built):
        logger.warning(
            "the compiled attention gives wrong numbers on this machine: peftide uses torch's "
            "attention instead, which is slower"
        )
        return None
    return built


def _is_right(compiled: ctypes.CDLL) -> bool:
    """Return whether a library gives the numbers of torch for a few random ones."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn((3, 1, 2, 50, 32), generator=generator).bfloat16().unbind()
    mixed = _attend(compiled, inputs, [50], scale=0.2)[0].transpose(0, 1)
    query, key, value = (tensor[0].float() for tensor in inputs)
    expected = functional.scaled_dot_product_attention(query, key, value, scale=0.2)
    return bool((mixed.float() - expected).abs().max() < LARGEST_ERROR)
