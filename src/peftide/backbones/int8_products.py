"""The frozen matrices of a backbone in 8 bits, on a CPU that multiplies these faster.

A backbone that holds its frozen matrices in bf16 → the same, whose layers below everything that
trains multiply in 8 bits.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from peftide.backbones.backbone import Backbone, LayeredBackbone
from peftide.backbones.half import ADAPTED, hold_half, layer_matrices
from peftide.backbones.wide_products import WideLinear
from peftide.errors import InputError
from peftide.hardware import DTYPES
from peftide.native.building import find_compiler
from peftide.native.int8 import Int8Matrix, Int8Rows, Library, library, multiply, rounded

FIX = "Use --precision auto"


class Int8Linear(nn.Linear):
    """A frozen matrix that multiplies in 8 bits, unless a gradient must pass through it.

    The weight stays there for gradients, so the matrix takes three bytes per number, not two.
    """

    matrix: Int8Matrix
    by: Library
    unrounded_class: type[nn.Linear]
    is_on: bool

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  (torch's own name)
        """Return the product."""
        rows = round_once([self], input.to(torch.bfloat16).flatten(0, -2))
        if isinstance(rows, Int8Rows):
            return self.multiply(rows).unflatten(0, input.shape[:-1])
        return self.unrounded_class.forward(self, input)

    def multiply(self, rows: Int8Rows, *, gelu: bool = False) -> Float[Tensor, "N O"]:
        """Return the product of rows that are rounded already, or GELU of it."""
        return multiply(rows, self.matrix, self.by, gelu=gelu)


def round_once(
    matrices: Sequence[nn.Module], rows: Float[Tensor, "N I"]
) -> Float[Tensor, "N I"] | Int8Rows:
    """Return bf16 rows in 8 bits if all matrices multiply these; else the rows as they are."""
    if rows.requires_grad and torch.is_grad_enabled():
        return rows
    if not all(isinstance(matrix, Int8Linear) and matrix.is_on for matrix in matrices):
        return rows
    assert isinstance(matrices[0], Int8Linear)
    return rounded(rows, matrices[0].by)


def hold_frozen(backbone: Backbone, precision: str) -> None:
    """Convert the frozen matrices in the layers of a backbone to the type in which they multiply.

    In 8 bits, only the layers below everything that trains multiply so.

    Parameters
    ----------
    precision
        As in `Hardware`.

    Raises
    ------
    InputError
        As `check_int8`.
    """
    hold_half(backbone, DTYPES[precision])
    if precision != "int8":
        return
    by = check_int8(backbone)
    for matrix in list(_frozen_matrices(backbone)):
        before = type(matrix)
        matrix.__class__ = Int8Linear
        assert isinstance(matrix, Int8Linear)
        matrix.by, matrix.unrounded_class, matrix.is_on = by, before, True
        matrix.matrix = Int8Matrix.of(matrix.weight, matrix.bias, by)


def check_int8(backbone: Backbone) -> Library:
    """Return the compiled products in 8 bits; change nothing.

    Raises
    ------
    InputError
        If they cannot be had, or the backbone has no frozen layers that can use them.
    """
    by = library()
    if by is None:
        missing = "the one at hand failed" if find_compiler() else "and PEFTIDE_COMPILE not 0"
        raise InputError(
            "received int8, but its compiled products cannot be had on this machine",
            expected=f"a C compiler that works (gcc or clang), {missing}",
            where="--precision",
            fix=FIX,
        )
    if not backbone.takes_int8:
        raise InputError(
            f"received int8, but the errors of the recurrent network {backbone.origin.name} add up "
            "from residue to residue",
            expected="a transformer such as ESM-2",
            where="--precision",
            fix=FIX,
        )
    if next(_frozen_matrices(backbone), None) is None:
        raise InputError(
            f"received int8, but the backbone {backbone.origin.name} has no frozen layers below "
            "the layers in training",
            expected="--method head, or adapters in the upper layers alone (--lora-layers last:2)",
            where="--precision",
            fix=FIX,
        )
    return by


def _frozen_matrices(backbone: Backbone) -> Iterator[nn.Linear]:
    if not isinstance(backbone, LayeredBackbone):
        return
    inside, frozen = f"{backbone.layer_prefix}.", backbone.frozen_layers
    for name, module in layer_matrices(backbone.model, backbone.layer_prefix):
        layer = int(name.partition(inside)[2].partition(".")[0])
        if (
            layer < frozen
            and type(module) in (nn.Linear, WideLinear)
            and not name.endswith(ADAPTED)
        ):
            yield module


@contextmanager
def without_int8(model: nn.Module) -> Iterator[None]:
    """Let all matrices of a model multiply in bf16 for a while."""
    matrices = [module for module in model.modules() if isinstance(module, Int8Linear)]
    before = [matrix.is_on for matrix in matrices]
    try:
        for matrix in matrices:
            matrix.is_on = False
        yield
    finally:
        for matrix, was_on in zip(matrices, before, strict=True):
            matrix.is_on = was_on
