"""A block of proteins in; the gradients of all their pairs out, with kept vectors of partners.

::

    block ──> encode (graph) ──> vectors ──┬──> pairing, head, loss ──> gradients
    vector bank ──> partners' vectors ─────┘
         └<───────── the vectors of the block, after the step

Each side of a pair gives its gradient in the step that encodes its protein, so over an epoch the
gradients add up to the gradients of the pair. Between two steps of a block the model changes
little, so the kept vectors are nearly the ones that it would give now.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from peftide.engine.blocks import Batch, sides
from peftide.engine.vector_bank import VectorBank
from peftide.model import ProteinModel
from peftide.packing import token_budget_batches
from peftide.training.gradients import PUSHED_EXAMPLES, losses_at, spare_pieces
from peftide.training.parts import Fitting
from peftide.types import IntArray

SIDES = 2
"""A pair is in two steps, with half of its loss in each; a protein's gradient is in one of them."""


def empty_bank(model: ProteinModel, fitting: Fitting) -> VectorBank:
    """Return a bank of zeros for all proteins."""
    size = len(fitting.source.counts), model.width
    return VectorBank(torch.zeros(size, device=fitting.hardware.device))


def fill_bank(fitting: Fitting, *, advance: Callable[[float], None]) -> None:
    """Encode all training proteins without dropout; the modules must be in evaluation mode.

    Of several processes, each encodes its share.

    Parameters
    ----------
    advance
        Called with the number of finished proteins.
    """
    proteins = np.unique(fitting.part.members[fitting.part.trained_examples()])
    own, spare = _pieces(fitting, proteins)
    found = []
    with fitting.hardware.processes.side_by_side(), torch.no_grad():
        for piece in own:
            found.append((piece, fitting.source.rows(piece)))
            advance(len(piece))
        for piece in spare:
            fitting.source.rows(piece)
    _hold(fitting, proteins, found).keep()


def add_block_gradients(
    model: ProteinModel,
    fitting: Fitting,
    batch: Batch,
    *,
    factor: float = 1.0,
    advance: Callable[[float], None] = lambda _examples: None,
) -> float:
    """Add the gradients of the mean loss of a block's pairs; return the loss.

    The vector bank holds the new vectors; its `keep` belongs to the optimizer step. Of several
    processes, each encodes its share of the proteins, and returns its share of the loss.

    Parameters
    ----------
    batch
        A block of proteins with all of its pairs.
    factor
        Factor on the gradients (`LossScale`).
    advance
        Called with the number of finished examples.
    """
    assert batch.proteins is not None
    examples, total = np.unique(batch.examples), fitting.part.counted_rows(batch.examples)
    own, spare = _pieces(fitting, batch.proteins)
    loss, found = 0.0, []
    with fitting.hardware.processes.side_by_side():
        for piece in own:
            rows = fitting.source.rows(piece)
            vectors = rows.detach().requires_grad_()
            pairs, places = sides(examples, fitting.part.members, piece)
            for start in range(0, len(pairs), PUSHED_EXAMPLES):
                some = slice(start, start + PUSHED_EXAMPLES)
                answered = pairs[some], places[some]
                losses = _side_losses(model, fitting, answered, piece=piece, vectors=vectors)
                pushed = losses.sum() / total
                (pushed * factor).backward()
                loss += pushed.item()
            assert vectors.grad is not None  # each protein of a block is in a pair
            rows.backward(SIDES * vectors.grad)
            found.append((piece, vectors.detach()))
            advance(len(pairs))
        for piece in spare:
            rows = fitting.source.rows(piece)
            rows.backward(torch.zeros_like(rows))
    _hold(fitting, batch.proteins, found)
    return loss


def _side_losses(
    model: ProteinModel,
    fitting: Fitting,
    found: tuple[IntArray, IntArray],
    *,
    piece: IntArray,
    vectors: Float[Tensor, "R D"],
) -> Float[Tensor, " rows"]:
    """Return the losses of sides of pairs, whose proteins have the vectors of a piece.

    The partner of a protein in a pair with itself has the same vector, but no graph.
    """
    assert fitting.bank is not None
    (pairs, places), count = found, np.arange(len(found[0]))
    members = fitting.part.members[pairs]
    partners, near = np.unique(members[count, 1 - places], return_inverse=True)
    own = np.searchsorted(piece, members[count, places])
    is_self = members[:, 0] == members[:, 1]
    rows = np.empty_like(members)
    rows[count, places] = own
    rows[count, 1 - places] = np.where(is_self, len(piece) + own, 2 * len(piece) + near)
    everything = torch.cat([vectors, vectors.detach(), fitting.bank.of(partners)])
    return losses_at(model, fitting, pairs, places=torch.from_numpy(rows), rows=everything)


def _pieces(fitting: Fitting, proteins: IntArray) -> tuple[list[IntArray], list[IntArray]]:
    """Return this process's proteins in sorted pieces within the budget, and the spare pieces."""
    source, processes = fitting.source, fitting.hardware.processes
    mine = proteins[processes.share(source.costs[proteins])]
    pieces = token_budget_batches(source.costs[mine], int(source.budget))
    own = [np.sort(mine[piece]) for piece in pieces]
    return own, spare_pieces(own, processes)


def _hold(
    fitting: Fitting,
    proteins: IntArray,
    found: Sequence[tuple[IntArray, Tensor]],
) -> VectorBank:
    """Let the bank hold the vectors that all processes found for some proteins; return it."""
    bank = fitting.bank
    assert bank is not None
    rows = bank.vectors.new_zeros(len(proteins), bank.vectors.shape[1])
    for piece, vectors in found:
        rows[torch.from_numpy(np.searchsorted(proteins, piece))] = vectors
    fitting.hardware.processes.sum(rows)
    bank.hold(proteins, rows)
    return bank
