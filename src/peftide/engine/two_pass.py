"""Gradients of one loss over many encoded pieces, with the graph of one piece at a time.

::

    pass 1   pieces ──> encode ──> rows (no graph) ──> loss ──> d loss / d rows
    pass 2   piece  ──> encode ──> rows (graph) <── its share of d loss / d rows       one by one

By the chain rule the sum is the gradient of the whole loss, for 4/3 of the operations of one pass.
Further pairs of encoded proteins are free, so a batch may hold all pairs of its proteins.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

Piece = TypeVar("Piece")


def two_pass(
    encode: Callable[[Piece], Float[Tensor, "rows D"]],
    pieces: Sequence[Piece],
    push: Callable[[Float[Tensor, "R D"]], float],
) -> float:
    """Add the gradients of a loss to the parameters of `encode` and `push`; return the loss.

    Each piece draws the same random numbers (dropout) in both passes.

    Parameters
    ----------
    encode
        A piece → its rows, with a graph if gradients are enabled.
    pieces
        Inputs of `encode`; their rows are concatenated in this order.
    push
        All rows → the loss. It also computes the gradients of the rows and its own parameters.

    Examples
    --------
    >>> weight = torch.ones(1, requires_grad=True)
    >>> def push(rows):
    ...     loss = rows.prod()
    ...     loss.backward()
    ...     return loss.item()
    >>> two_pass(lambda piece: weight * torch.tensor([[piece]]), [2.0, 3.0], push), weight.grad
    (6.0, tensor([12.]))

    References
    ----------
    Gao et al. 2021, arXiv 2101.06983 (gradient caching), section 3.
    """
    seeds = torch.randint(2**62, (len(pieces) + 1,)).tolist()
    with torch.no_grad():
        encoded = [_seeded(encode, piece, seed) for piece, seed in zip(pieces, seeds, strict=False)]
    rows = torch.cat(encoded).detach().requires_grad_()
    torch.manual_seed(seeds[-1])
    loss = push(rows)
    if rows.grad is None:
        raise RuntimeError("the loss does not depend on the rows")
    gradients = rows.grad.split([len(part) for part in encoded])
    for piece, seed, gradient in zip(pieces, seeds, gradients, strict=False):
        _seeded(encode, piece, seed).backward(gradient)
    return loss


def _seeded(encode: Callable[[Piece], Tensor], piece: Piece, seed: int) -> Tensor:
    torch.manual_seed(seed)
    return encode(piece)
