"""Attention in packed rows, compiled: queries, keys and values in bf16 → mixed values, on a CPU.

It takes a third to a half of the time of torch's own attention, which is half of the time of a
small ESM-2.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from peftide.native.building import find_compiler
from peftide.native.running import TILES, Function, first_right, has_units, in_threads, libraries

SOURCES = ("halves.c", "words.c", "products.c", "tiles.c", "attention.c")
WIDTHS = frozenset({16, 24, 32, 64, 128})
"""Numbers per attention head for which the source has a loop."""
NOT_ENOUGH_MEMORY = 1
ARGUMENTS = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int]
LARGEST_ERROR = 0.05
"""Largest error that the check of a new library accepts; bf16 alone makes up to 0.02 of it."""

Turns = tuple[Float[Tensor, "1 N width"], Float[Tensor, "1 N width"]]


class Rows(ctypes.Structure):
    """The arguments of the compiled function, as `Rows` in the source."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("query", "key", "value", "cosine", "sine", "out")),
        *((name, ctypes.c_void_p) for name in ("gradient", "of_query", "of_key", "of_value")),
        ("ends", ctypes.c_void_p),
        *((name, ctypes.c_int64) for name in ("heads", "width")),
        *((name, ctypes.c_int64) for name in ("query_row", "key_row", "value_row", "turn_row")),
        ("scale", ctypes.c_float),
    ]


@dataclass(frozen=True)
class Packing:
    """What attention needs to know of a packed row.

    Attributes
    ----------
    lengths
        Tokens of each sequence; they sum to N.
    scale
        Factor of the scores.
    turns
        Cosine and sine of the rotary positions, if queries and keys are not turned yet.
    """

    lengths: Sequence[int]
    scale: float
    turns: Turns | None = None


def is_compiled(query: Float[Tensor, "*heads width"]) -> bool:
    """Return whether `attend_compiled` takes such queries: bf16 on a CPU with AVX-512."""
    return (
        query.device.type == "cpu"
        and query.dtype is torch.bfloat16
        and query.shape[-1] in WIDTHS
        and library() is not None
    )


def attend_compiled(
    query: Float[Tensor, "1 heads N width"],
    key: Float[Tensor, "1 heads N width"],
    value: Float[Tensor, "1 heads N width"],
    *,
    packing: Packing,
) -> Float[Tensor, "1 N heads width"]:
    """Attend within each sequence of a packed row; `is_compiled` must be true.

    The gradients of queries, keys and values are compiled too.

    Raises
    ------
    MemoryError
        If the scores of some tokens of the longest sequence do not fit into memory.
    """
    compiled = library()
    assert compiled is not None, "is_compiled was false"
    mixed = CompiledAttention.apply(query, key, value, packing, compiled)
    assert isinstance(mixed, Tensor)
    return mixed


class CompiledAttention(torch.autograd.Function):
    """Attention whose scores are computed again for the gradients, so that nothing is kept."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Float[Tensor, "1 N heads width"]:
        """Return the mixed values of queries, keys and values."""
        *tensors, packing, compiled = inputs
        ctx.save_for_backward(*tensors)
        ctx.packing, ctx.compiled = packing, compiled
        by_token = [_by_token(tensor) for tensor in tensors]
        out = torch.empty_like(by_token[0], memory_format=torch.contiguous_format)
        _run(compiled, by_token, packing, others={"out": out})
        return out[None]

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]  (the decorator has no names)
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, ...]:
        """Return the gradients of queries, keys and values."""
        by_token = [_by_token(tensor) for tensor in ctx.saved_tensors]
        found = [torch.empty(tensor.shape, dtype=tensor.dtype) for tensor in by_token]
        names = dict(zip(("of_query", "of_key", "of_value"), found, strict=True))
        others = names | {"gradient": gradients[0].contiguous()}
        _run(ctx.compiled, by_token, ctx.packing, others=others)
        return *(tensor.transpose(0, 1)[None] for tensor in found), None, None


def _run(
    compiled: Function,
    inputs: Sequence[Float[Tensor, "N heads width"]],
    packing: Packing,
    *,
    others: dict[str, Tensor],
) -> None:
    """Let the compiled function fill the results among the other tensors."""
    query, key, value = inputs
    _, heads, width = query.shape
    ends = np.cumsum([0, *packing.lengths], dtype=np.int64)
    tensors = {"query": query, "key": key, "value": value} | others
    sizes = {"heads": heads, "width": width, "scale": packing.scale}
    sizes |= {f"{name}_row": tensors[name].stride(0) for name in ("query", "key", "value")}
    if packing.turns is not None:
        cosine, sine = (turn[0].float() for turn in packing.turns)
        tensors |= {"cosine": cosine, "sine": sine}
        sizes["turn_row"] = cosine.stride(0)
    places = {name: tensor.data_ptr() for name, tensor in tensors.items()}
    rows = Rows(ends=ends.ctypes.data, **places, **sizes)
    shares = _shares(tuple(packing.lengths), heads, torch.get_num_threads())
    results = in_threads(
        # without Python's lock
        lambda share: compiled(ctypes.byref(rows), *share, "gradient" in others),
        shares,
    )
    if NOT_ENOUGH_MEMORY in results:
        raise MemoryError("not enough memory for the attention of the longest sequence")
    assert not any(results), "a width that is not compiled"


def _by_token(tensor: Float[Tensor, "1 heads N width"]) -> Float[Tensor, "N heads width"]:
    """Return a tensor whose heads lie side by side in each token."""
    by_token = tensor[0].transpose(0, 1)
    heads_side_by_side = by_token.stride(2) == 1 and by_token.stride(1) == by_token.shape[2]
    return by_token if heads_side_by_side else by_token.contiguous()


@lru_cache(maxsize=16)  # once per batch, not once per layer
def _shares(lengths: tuple[int, ...], heads: int, threads: int) -> list[tuple[int, int]]:
    """Divide sequences and heads, counted sequence by sequence, into equal work for each thread.

    Examples
    --------
    >>> _shares((10, 10, 20), heads=2, threads=2)
    [(0, 4), (4, 6)]
    """
    work = np.repeat(np.array(lengths, dtype=float) ** 2, heads)
    middles = np.cumsum(work) - work / 2
    cuts = np.searchsorted(middles, work.sum() * np.arange(1, threads) / threads)
    edges = np.unique([0, *cuts, len(work)]).tolist()
    return list(zip(edges[:-1], edges[1:], strict=True))


def state() -> str:
    """Return whether attention in bf16 is compiled on this machine, or what it lacks."""
    if not has_units():
        return "torch: the compiled one needs a CPU with AVX-512"
    compiled = library()
    if compiled is not None:
        return "compiled, with tiles (AMX)" if "tiles" in compiled.__name__ else "compiled"
    if find_compiler() is None:
        return "torch: with a C compiler (gcc or clang), attention in bf16 would be faster"
    return "torch: the compiled one could not be built, or gives wrong numbers"


@cache
def library() -> Function | None:
    """Return the compiled function, or None where it cannot be had or is wrong."""
    return first_right(
        (way for built in libraries(SOURCES) for way in ways(built)),
        _is_right,
        warning="the compiled attention gives wrong numbers on this machine: peftide uses torch's "
        "attention instead, which is slower",
    )


def ways(built: ctypes.CDLL) -> list[Function]:
    """Return the functions of a library that this CPU can run, the fastest first."""
    functions = [built.peftide_attend]
    if has_units(TILES) and built.peftide_may_use_tiles():
        functions.insert(0, built.peftide_attend_tiles)
    for function in functions:
        function.argtypes = ARGUMENTS
    return functions


def _is_right(compiled: Function) -> bool:
    """Return whether a library gives the numbers and gradients of torch for a few random ones."""
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode(mode=False), torch.enable_grad():
        rounded = torch.randn((4, 1, 2, 50, 32), generator=generator).bfloat16()
        query, key, value, seen = (tensor.requires_grad_() for tensor in rounded.unbind())
        packing = Packing([50], scale=0.2)
        mixed = CompiledAttention.apply(query, key, value, packing, compiled)
        assert isinstance(mixed, Tensor)
        found = [mixed, *torch.autograd.grad(mixed, (query, key, value), seen.transpose(1, 2))]
        wide = [tensor.detach().float().requires_grad_() for tensor in (query, key, value)]
        plain = functional.scaled_dot_product_attention(wide[0], wide[1], wide[2], scale=0.2)
        expected = [plain.transpose(1, 2), *torch.autograd.grad(plain, wide, seen.float())]
        return all(
            bool((one.float() - other).abs().max() < LARGEST_ERROR)
            for one, other in zip(found, expected, strict=True)
        )
