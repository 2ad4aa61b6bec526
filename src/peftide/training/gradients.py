"""A batch of examples in; the gradients of its mean loss out, within the token budget."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from peftide.distributed import ALONE, Processes
from peftide.encoding import expand_members
from peftide.engine.two_pass import two_pass
from peftide.model import ProteinModel
from peftide.packing import token_budget_batches
from peftide.ragged import ragged_rows
from peftide.training.parts import Fitting, micro_batches
from peftide.types import IntArray

ONE_PASS, TWO_PASSES = 3, 4  # arithmetic per token: forward 1, backward 2; second forward 1
PUSHED_EXAMPLES = 4096
Push = Callable[[IntArray, IntArray, Float[Tensor, "R D"]], float]
"""Examples, (sorted, distinct) proteins, rows → the loss; adds the gradients of rows and head."""


def add_gradients(
    model: ProteinModel,
    fitting: Fitting,
    batch: IntArray,
    *,
    factor: float = 1.0,
    advance: Callable[[float], None] = lambda _examples: None,
) -> float:
    """Add the gradients of a batch's mean loss to the model; return the loss.

    Of several processes, each adds its share, and returns its share of the loss.

    The batch is split into pieces whose activations fit the budget. If the pieces would encode the
    same proteins too often, the batch is encoded in two passes instead, and so is a pair of
    proteins that exceed the budget together. Both ways give the gradients of the whole batch.

    Parameters
    ----------
    batch
        Examples. Shape (B,).
    factor
        Factor on the gradients (`LossScale`).
    advance
        Called with the number of finished examples; it may be a fraction.
    """
    total = fitting.part.counted_rows(batch)

    def push(examples: IntArray, proteins: IntArray, rows: Float[Tensor, "R D"]) -> float:
        loss = rows_loss(model, fitting, examples, proteins=proteins, rows=rows) / total
        (loss * factor).backward()
        return loss.item()

    if shares_proteins(fitting, batch):
        processes = fitting.hardware.processes
        return _two_passes(fitting, batch, push, advance=advance, processes=processes)
    batch = own_examples(fitting, batch)
    if not len(batch):
        return 0.0
    pieces = graph_pieces(fitting, batch)
    if pieces is None:
        return _two_passes(fitting, batch, push, advance=advance)
    loss = 0.0
    for piece in pieces:
        if is_too_large(fitting, piece):
            loss += _two_passes(fitting, piece, push, advance=advance)
            continue
        piece_loss = batch_loss(model, fitting, piece) / total
        (piece_loss * factor).backward()
        loss += piece_loss.item()
        advance(len(piece))
    return loss


def is_too_large(fitting: Fitting, piece: IntArray) -> bool:
    """Return whether the graphs of a piece exceed the budget together: a pair of long proteins."""
    proteins = np.unique(fitting.part.members[piece])
    return len(proteins) > 1 and bool(fitting.source.costs[proteins].sum() > fitting.source.budget)


def own_examples(fitting: Fitting, batch: IntArray) -> IntArray:
    """Return this process's share of a batch; the whole batch in one process."""
    processes = fitting.hardware.processes
    return batch if processes.count == 1 else batch[processes.share(_costs(fitting, batch))]


def _costs(fitting: Fitting, batch: IntArray) -> IntArray:
    return fitting.source.costs[fitting.part.members[batch]].sum(axis=1)


def shares_proteins(fitting: Fitting, batch: IntArray) -> bool:
    """Return whether several processes should share the proteins of a batch, not its examples.

    A process that answers its share of a block of pairs would encode nearly all its proteins. If
    the processes run the layers together, they always share the proteins.
    """
    members, costs = fitting.part.members, fitting.source.costs
    processes = fitting.hardware.processes
    if processes.lockstep.active:
        return True
    proteins = np.unique(members[batch])
    if processes.count == 1 or len(proteins) < processes.count:
        return False
    owners = processes.owners(_costs(fitting, batch))
    shares = [np.unique(members[batch[owners == rank]]) for rank in range(processes.count)]
    largest = max(costs[share].sum() for share in shares)
    return bool(TWO_PASSES * costs[proteins].sum() < ONE_PASS * largest * processes.count)


def graph_pieces(fitting: Fitting, batch: IntArray) -> list[IntArray] | None:
    """Return pieces of a batch whose graphs fit the budget, or None if two passes are cheaper."""
    members, source = fitting.part.members, fitting.source
    pieces = micro_batches(batch, members, costs=source.costs, budget=source.budget)
    once = source.costs[np.unique(members[batch])].sum()
    encoded = sum(source.costs[np.unique(members[piece])].sum() for piece in pieces)
    return None if TWO_PASSES * once < ONE_PASS * encoded else pieces


def _two_passes(
    fitting: Fitting,
    batch: IntArray,
    push: Push,
    *,
    advance: Callable[[float], None],
    processes: Processes = ALONE,
) -> float:
    """Encode each protein of a batch in two passes; return this process's share of the loss.

    Each process encodes its share of the proteins. All get all rows, answer their share of the
    examples, and add up the gradients of the rows before the second pass.
    """
    source = fitting.source
    proteins = np.unique(fitting.part.members[batch])
    own = processes.share(source.costs[proteins])
    order = [own[p] for p in token_budget_batches(source.costs[proteins[own]], source.batch_tokens)]
    spare = spare_pieces(order, processes)
    counts, encoded = source.counts[proteins], np.concatenate([*order, own[:0]])
    starts = np.cumsum(counts) - counts
    places = torch.from_numpy(ragged_rows(starts[encoded], counts[encoded]))
    examples = batch if processes.count == 1 else own_examples(fitting, batch)

    def encode(piece: IntArray) -> Float[Tensor, "rows D"]:
        advance(len(batch) * len(piece) / len(encoded) / (2 * processes.count))
        return source.rows(proteins[piece])

    def push_all(own_rows: Float[Tensor, "R D"]) -> float:
        rows = own_rows.new_zeros(int(counts.sum()), own_rows.shape[1])
        rows[places] = own_rows.detach()[: len(places)]
        processes.sum(rows)
        rows.requires_grad_()
        parts = range(0, len(examples), PUSHED_EXAMPLES)
        loss = sum(push(examples[k : k + PUSHED_EXAMPLES], proteins, rows) for k in parts)
        gradients = torch.zeros_like(rows) if rows.grad is None else rows.grad
        processes.sum(gradients)
        own_rows.grad = torch.zeros_like(own_rows)
        own_rows.grad[: len(places)] = gradients[places]
        return loss

    with processes.side_by_side():
        return two_pass(encode, [*order, *spare], push_all)


def spare_pieces(pieces: Sequence[IntArray], processes: Processes) -> list[IntArray]:
    """Return the pieces that a process encodes in vain, so that all run the layers equally often.

    There are none unless the processes run the layers together.
    """
    if not processes.lockstep.active:
        return []
    missing = processes.most(len(pieces)) - len(pieces)
    return missing * [*pieces[:1], np.zeros(1, dtype=np.int64)][:1]


def batch_loss(model: ProteinModel, fitting: Fitting, examples: IntArray) -> Tensor:
    """Return the summed loss of the rows that count, with its graph."""
    proteins = np.unique(fitting.part.members[examples])
    rows = fitting.source.rows(proteins)
    return rows_loss(model, fitting, examples, proteins=proteins, rows=rows)


def rows_loss(
    model: ProteinModel,
    fitting: Fitting,
    examples: IntArray,
    *,
    proteins: IntArray,
    rows: Float[Tensor, "R D"],
) -> Tensor:
    """Return the summed loss of examples, given the rows of (sorted, distinct) proteins."""
    return row_losses(model, fitting, examples, proteins=proteins, rows=rows).sum()


def row_losses(
    model: ProteinModel,
    fitting: Fitting,
    examples: IntArray,
    *,
    proteins: IntArray,
    rows: Float[Tensor, "R D"],
) -> Float[Tensor, " rows"]:
    """Return the loss of each row of some examples, 0 for rows that do not count."""
    counts = fitting.source.counts[proteins]
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    local = np.searchsorted(proteins, fitting.part.members[examples])
    places = expand_members(local, starts, counts)
    return losses_at(model, fitting, examples, places=places, rows=rows)


def losses_at(
    model: ProteinModel,
    fitting: Fitting,
    examples: IntArray,
    *,
    places: Int[Tensor, "B A"],
    rows: Float[Tensor, "R D"],
) -> Float[Tensor, " rows"]:
    """Return the loss of each row of some examples, 0 for rows that do not count.

    Parameters
    ----------
    places
        Rows of each example's proteins.
    """
    part, device = fitting.part, fitting.hardware.device
    logits = model.answer(rows, places.to(device)).float()
    target_rows = part.targets.rows(examples)
    outcome, values = fitting.task.outcome, part.targets.values[target_rows]
    values = torch.from_numpy(outcome.trained(values, fitting.labels)).float().to(device)
    counted = torch.from_numpy(part.targets.counted[target_rows]).to(device)
    losses = outcome.loss(logits, values, fitting.labels, imbalance=fitting.config.imbalance)
    return losses * counted
