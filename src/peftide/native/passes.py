"""The steps between the matrix products of a layer, compiled: each in one pass over memory.

In torch, adding to the hidden states, their norm, and rounding it to bf16 are five passes, and a
quarter of the time of ESM-2 150M on a CPU with AMX.
"""

import ctypes
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from peftide.native.running import Function, first_right, in_threads, libraries, shares_of

SOURCES = ("halves.c", "passes.c")
ARGUMENTS = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64]
LARGEST_ERROR = 0.02
"""Largest error that the check of a new library accepts; bf16 alone makes up to 0.008 of it."""


class Passes(ctypes.Structure):
    """The arguments of the compiled function, as `Passes` in the source."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("hidden", "added", "total", "weight", "bias")),
        ("normed", ctypes.c_void_p),
        ("width", ctypes.c_int64),
        ("epsilon", ctypes.c_float),
    ]


def takes(norm: nn.Module, hidden: Float[Tensor, "N D"]) -> bool:
    """Return whether the compiled passes can take such states and a layer norm.

    They need fp32 states on a CPU with AVX-512, autocast to bf16, and no graph.
    """
    return (
        type(norm) is nn.LayerNorm
        and not torch.is_grad_enabled()
        and hidden.device.type == "cpu"
        and hidden.dtype is torch.float32
        and hidden.is_contiguous()
        and torch.is_autocast_enabled("cpu")
        and torch.get_autocast_dtype("cpu") is torch.bfloat16
        and all(p is not None and p.dtype is torch.float32 for p in (norm.weight, norm.bias))
        and library() is not None
    )


def normed(norm: nn.LayerNorm, hidden: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
    """Return the layer norm of fp32 states in bf16; `takes` must be true."""
    found = torch.empty(hidden.shape, dtype=torch.bfloat16)
    _run(library(), hidden, norm=norm, normed=found)
    return found


def added_and_normed(
    norm: nn.LayerNorm, hidden: Float[Tensor, "N D"], added: Float[Tensor, "N D"]
) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N D"]]:
    """Return the sum of fp32 states and bf16 numbers, and its layer norm in bf16."""
    total, found = torch.empty_like(hidden), torch.empty(hidden.shape, dtype=torch.bfloat16)
    _run(library(), hidden, norm=norm, normed=found, added=added.contiguous(), total=total)
    return total, found


def add_to(hidden: Float[Tensor, "N D"], added: Float[Tensor, "N D"]) -> None:
    """Add bf16 numbers to fp32 states, in place."""
    _run(library(), hidden, added=added.contiguous(), total=hidden)


def _run(
    compiled: Function | None,
    hidden: Tensor,
    *,
    norm: nn.LayerNorm | None = None,
    **others: Tensor,
) -> None:
    """Let the compiled function fill the results among the other tensors."""
    assert compiled is not None, "`takes` was false"
    assert all(x.dtype is torch.bfloat16 for name, x in others.items() if name != "total")
    tensors = {"hidden": hidden, **others}
    if norm is not None:
        tensors |= {"weight": norm.weight, "bias": norm.bias}
    places = {name: tensor.data_ptr() for name, tensor in tensors.items()}
    epsilon = 0.0 if norm is None else norm.eps
    passes = Passes(width=hidden.shape[1], epsilon=epsilon, **places)
    in_threads(lambda share: compiled(ctypes.byref(passes), *share), shares_of(len(hidden)))


@cache
def library() -> Function | None:
    """Return the compiled function, or None where it cannot be had or is wrong."""
    return first_right(
        map(function_of, libraries(SOURCES)),
        _is_right,
        warning="the compiled steps between matrix products give wrong numbers on this machine: "
        "peftide uses torch's instead, which are slower",
    )


def function_of(library: ctypes.CDLL) -> Function:
    """Return the function of a library."""
    library.peftide_pass.argtypes = ARGUMENTS
    return library.peftide_pass


def _is_right(compiled: Function) -> bool:
    """Return whether a library gives the numbers of torch for a few random ones."""
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        norm = nn.LayerNorm(40)
        hidden, added = torch.randn((2, 3, 40), generator=generator)
        total, found = torch.empty_like(hidden), torch.empty((3, 40), dtype=torch.bfloat16)
        others = {"added": added.bfloat16(), "total": total, "normed": found}
        _run(compiled, hidden, norm=norm, **others)
        expected = hidden + added.bfloat16()
        errors = (total - expected, found - functional.layer_norm(expected, (40,)))
        return all(bool(error.abs().max() < LARGEST_ERROR) for error in errors)
