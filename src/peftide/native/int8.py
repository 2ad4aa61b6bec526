"""Matrix products of 8-bit numbers on a CPU: twice as fast as bf16, four times as fast as fp32.

::

    rows, bf16 ─> 8 bits, a scale per row ───────┐
    weight     ─> 8 bits, a scale per column ────┴─> product, scales, bias, GELU ─> bf16

On a CPU with AMX, torch multiplies by tiles, and only the steps around the product are compiled.
"""

import ctypes
from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float, Int8, Int32, UInt8
from torch import Tensor
from torch.nn import functional

from peftide.hardware import INT8_UNITS
from peftide.native.building import find_compiler
from peftide.native.running import (
    Function,
    first_right,
    has_units,
    in_threads,
    libraries,
    shares_of,
)

SOURCES = ("halves.c", "int8.c")
ARGUMENTS = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64]
TILES = ("amx_tile", "amx_int8")
LARGEST = 127
OFFSET = 128
"""What makes the numbers of a row unsigned, as the instruction wants one factor."""
LANES, GROUP = 16, 4
"""Outputs side by side in a vector, and inputs that one instruction sums."""
ROWS_AT_ONCE = 512
"""Rows whose sums by tiles stay in the cache until they are finished."""
LARGEST_ERROR = 0.05
"""Largest error that the check of a new library accepts; rounding makes up to 0.03 of it."""


class Rounding(ctypes.Structure):
    """The arguments of the first compiled function, as `Rounding` in the source."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("rows", "numbers", "scales")),
        *((name, ctypes.c_int64) for name in ("width", "room", "offset")),
    ]


class Product(ctypes.Structure):
    """The arguments of the other compiled functions, as `Product` in the source."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("rows", "weight", "starts", "sums")),
        *((name, ctypes.c_void_p) for name in ("row_scales", "column_scales", "bias", "out")),
        *((name, ctypes.c_int64) for name in ("inputs", "outputs", "gelu")),
    ]


@dataclass(frozen=True)
class Library:
    """The compiled functions, and who multiplies.

    Attributes
    ----------
    round, multiply, finish
        Functions of the source.
    by_tiles
        Whether torch multiplies.
    """

    round: Function
    multiply: Function
    finish: Function
    by_tiles: bool

    @classmethod
    def of(cls, built: ctypes.CDLL) -> "Library":
        """Return the functions of a library."""
        functions = (built.peftide_round, built.peftide_multiply, built.peftide_finish)
        for function in functions:
            function.argtypes = ARGUMENTS
        return cls(*functions, by_tiles=has_units(TILES))


@dataclass(frozen=True)
class Int8Matrix:
    """A linear layer in 8 bits: `numbers[o, i] * scales[o]` is the weight of input i in output o.

    Attributes
    ----------
    numbers
        In the order of whoever multiplies: O x I for torch, or vectors x groups x 16 x 4, padded
        with zeros, for the compiled function.
    starts
        Minus what the offset of the rows adds to each sum.
    scales, bias
        In fp32.
    """

    numbers: Int8[Tensor, "..."]
    starts: Int32[Tensor, " outputs"]
    scales: Float[Tensor, " O"]
    bias: Float[Tensor, " O"]

    @classmethod
    def of(
        cls, weight: Float[Tensor, "O I"], bias: Float[Tensor, " O"] | None, by: Library
    ) -> "Int8Matrix":
        """Round a weight, each output by its largest number, for a library."""
        wide = weight.detach().float()
        scales = wide.abs().amax(dim=1) / LARGEST
        numbers = (wide / scales.clamp_min(torch.finfo(torch.float32).tiny)[:, None]).round()
        numbers = numbers.to(torch.int8)
        outputs, inputs = numbers.shape
        padded = functional.pad(numbers, (0, -inputs % GROUP, 0, -outputs % LANES))
        starts = -OFFSET * padded.sum(dim=1, dtype=torch.int32)
        if not by.by_tiles:
            packed = padded.unflatten(0, (-1, LANES)).unflatten(2, (-1, GROUP)).transpose(1, 2)
            numbers = packed.contiguous()
        plain = torch.zeros(outputs) if bias is None else bias.detach().float()
        return cls(numbers, starts, scales, plain)


@dataclass(frozen=True)
class Int8Rows:
    """Rows in 8 bits, each with its scale.

    Attributes
    ----------
    numbers
        With the offset if the compiled function multiplies; padded.
    """

    numbers: UInt8[Tensor, "N room"]
    scales: Float[Tensor, " N"]


def rounded(rows: Float[Tensor, "N I"], by: Library) -> Int8Rows:
    """Round bf16 rows to 8 bits, each by its largest number."""
    rows = rows.contiguous()
    count, width = rows.shape
    room, offset = (width, 0) if by.by_tiles else (width + -width % GROUP, OFFSET)
    numbers, scales = torch.empty((count, room), dtype=torch.uint8), torch.empty(count)
    places = (rows.data_ptr(), numbers.data_ptr(), scales.data_ptr())
    rounding = Rounding(*places, width, room, offset)
    in_threads(lambda share: by.round(ctypes.byref(rounding), *share), shares_of(count))
    return Int8Rows(numbers, scales)


def multiply(
    rows: Int8Rows, matrix: Int8Matrix, by: Library, *, gelu: bool = False
) -> Float[Tensor, "N O"]:
    """Return the product of rows with a matrix, plus its bias, in bf16; of it GELU if wanted."""
    out = torch.empty((len(rows.numbers), len(matrix.scales)), dtype=torch.bfloat16)
    if not by.by_tiles:
        _fill(out, by.multiply, matrix, gelu=gelu, rows=rows.numbers, row_scales=rows.scales)
        return out
    for start in range(0, len(out), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        sums = torch._int_mm(rows.numbers[part].view(torch.int8), matrix.numbers.T)
        _fill(out[part], by.finish, matrix, gelu=gelu, sums=sums, row_scales=rows.scales[part])
    return out


def _fill(
    out: Float[Tensor, "N O"],
    function: Function,
    matrix: Int8Matrix,
    *,
    gelu: bool,
    **rows: Tensor,
) -> None:
    """Let a compiled function write the product of rows, or of their sums, with a matrix."""
    of_matrix = {"weight": matrix.numbers, "starts": matrix.starts}
    of_matrix |= {"column_scales": matrix.scales, "bias": matrix.bias}
    places = {name: tensor.data_ptr() for name, tensor in (rows | of_matrix).items()}
    sizes = {"outputs": out.shape[1], "gelu": gelu}
    if "rows" in rows:
        sizes["inputs"] = rows["rows"].shape[1]
    product = Product(out=out.data_ptr(), **places, **sizes)
    in_threads(lambda share: function(ctypes.byref(product), *share), shares_of(len(out)))


def state() -> str:
    """Return whether `--precision int8` works on this machine, or what it lacks."""
    if not (has_units() and has_units(INT8_UNITS)):
        return "no: it needs a CPU with AVX512-VNNI"
    if library() is not None:
        return "yes"
    if find_compiler() is None:
        return "no: it needs a C compiler (gcc or clang)"
    return "no: its products could not be built, or give wrong numbers"


@cache
def library() -> Library | None:
    """Return the compiled functions, or None where they cannot be had or are wrong."""
    if not has_units(INT8_UNITS):
        return None
    return first_right(
        map(Library.of, libraries(SOURCES)),
        _is_right,
        warning="the compiled 8-bit products give wrong numbers on this machine: --precision int8 "
        "cannot be used",
    )


def _is_right(found: Library) -> bool:
    """Return whether a library gives the numbers of torch for a few random ones."""
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        rows = torch.randn((7, 42), generator=generator).bfloat16()
        weight, bias = torch.randn((90, 42), generator=generator) / 7, torch.ones(90)
        product = multiply(
            rounded(rows, found), Int8Matrix.of(weight, bias, found), found, gelu=True
        )
        expected = functional.gelu(functional.linear(rows.float(), weight, bias))
        return bool((product - expected).abs().max() < LARGEST_ERROR)
