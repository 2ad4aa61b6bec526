"""A batch of examples in; the gradients of its mean loss out, within the token budget."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from peftide.encoding import expand_members
from peftide.engine.two_pass import two_pass
from peftide.model import ProteinModel
from peftide.packing import token_budget_batches
from peftide.training.parts import Fitting, micro_batches, unsorted_rows
from peftide.types import IntArray

ONE_PASS, TWO_PASSES = 3, 4  # arithmetic per token: forward 1, backward 2; second forward 1
PUSHED_EXAMPLES = 4096


def add_gradients(
    model: ProteinModel,
    fitting: Fitting,
    batch: IntArray,
    *,
    factor: float = 1.0,
    advance: Callable[[float], None] = lambda _examples: None,
) -> float:
    """Add the gradients of a batch's mean loss to the model; return the loss.

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
    pieces = graph_pieces(fitting, batch)
    if pieces is None:
        return _two_passes(model, fitting, batch, total=total, factor=factor, advance=advance)
    loss = 0.0
    for piece in pieces:
        if is_too_large(fitting, piece):
            loss += _two_passes(model, fitting, piece, total=total, factor=factor, advance=advance)
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


def graph_pieces(fitting: Fitting, batch: IntArray) -> list[IntArray] | None:
    """Return pieces of a batch whose graphs fit the budget, or None if two passes are cheaper."""
    members, source = fitting.part.members, fitting.source
    pieces = micro_batches(batch, members, costs=source.costs, budget=source.budget)
    once = source.costs[np.unique(members[batch])].sum()
    encoded = sum(source.costs[np.unique(members[piece])].sum() for piece in pieces)
    return None if TWO_PASSES * once < ONE_PASS * encoded else pieces


def _two_passes(
    model: ProteinModel,
    fitting: Fitting,
    batch: IntArray,
    *,
    total: float,
    factor: float,
    advance: Callable[[float], None],
) -> float:
    source = fitting.source
    proteins = np.unique(fitting.part.members[batch])
    order = token_budget_batches(source.costs[proteins], source.batch_tokens)
    back = unsorted_rows(np.concatenate(order), source.counts[proteins])

    def encode(piece: IntArray) -> Float[Tensor, "rows D"]:
        advance(len(batch) * len(piece) / len(proteins) / 2)
        return source.rows(piece)

    def push(encoded: Float[Tensor, "R D"]) -> float:
        loss = 0.0
        for start in range(0, len(batch), PUSHED_EXAMPLES):
            examples = batch[start : start + PUSHED_EXAMPLES]
            rows = encoded[back.to(encoded.device)]
            part_loss = rows_loss(model, fitting, examples, proteins=proteins, rows=rows) / total
            (part_loss * factor).backward()
            loss += part_loss.item()
        return loss

    return two_pass(encode, [proteins[piece] for piece in order], push)


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
    part, device = fitting.part, fitting.hardware.device
    counts = fitting.source.counts[proteins]
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    local = np.searchsorted(proteins, part.members[examples])
    places = expand_members(local, starts, counts)
    logits = model.answer(rows, places.to(device)).float()
    target_rows = part.targets.rows(examples)
    outcome, values = fitting.task.outcome, part.targets.values[target_rows]
    values = torch.from_numpy(outcome.trained(values, fitting.labels)).float().to(device)
    counted = torch.from_numpy(part.targets.counted[target_rows]).to(device)
    losses = outcome.loss(logits, values, fitting.labels, imbalance=fitting.config.imbalance)
    return losses * counted
