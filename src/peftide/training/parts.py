"""The examples of one part with their labels, and where the rows of their proteins come from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from peftide.encoding import ModelEncoder
from peftide.engine.embedding import Embeddings
from peftide.engine.packing import token_budget_batches
from peftide.hardware import GRAPH_BATCHES
from peftide.ragged import ragged_rows
from peftide.tasks import Targets
from peftide.types import IntArray


@dataclass(frozen=True)
class LabelledPart:
    """Examples as numbers.

    Attributes
    ----------
    members
        Proteins of each example. Shape (B, A).
    targets
        Labels of each row.
    """

    members: IntArray
    targets: Targets

    def trained_examples(self) -> IntArray:
        """Return the examples with at least one row that counts."""
        counted = np.add.reduceat(self.targets.counted, self.targets.offsets[:-1], dtype=np.int64)
        return np.flatnonzero(counted)


@dataclass(frozen=True)
class RowSource:
    """Where the rows of proteins come from while training.

    Attributes
    ----------
    rows
        Distinct proteins → their rows, one protein after the other, with a graph if they train.
    counts
        Rows of each protein. Shape (P,).
    costs
        Tokens of each protein. Shape (P,).
    budget
        Tokens whose activations are kept at a time.
    """

    rows: Callable[[IntArray], Float[Tensor, "R D"]]
    counts: IntArray
    costs: IntArray
    budget: float


def cached_rows(embeddings: Embeddings, device: torch.device) -> RowSource:
    """Return rows that were computed before: nothing to encode, so no budget."""
    counts = np.diff(embeddings.offsets)

    def rows(proteins: IntArray) -> Float[Tensor, "R D"]:
        places = ragged_rows(embeddings.offsets[proteins], counts[proteins])
        return embeddings.rows[torch.from_numpy(places)].float().to(device)

    return RowSource(rows, counts, np.zeros_like(counts), float("inf"))


def encoded_rows(encoder: ModelEncoder, sequences: Sequence[str]) -> RowSource:
    """Return rows that are encoded anew each time, because the backbone changes."""
    tokens, counts = encoder.tokens(sequences), encoder.rows(sequences)

    def rows(proteins: IntArray) -> Float[Tensor, "R D"]:
        batches = token_budget_batches(tokens[proteins], encoder.hardware.max_tokens)
        encoded = [
            _encode(encoder, [sequences[int(p)] for p in proteins[batch]]) for batch in batches
        ]
        return torch.cat(encoded)[_unsorted(np.concatenate(batches), counts[proteins])]

    budget = GRAPH_BATCHES * encoder.hardware.max_tokens
    return RowSource(rows, counts, tokens, budget)


def _unsorted(order: IntArray, counts: IntArray) -> Tensor:
    """Return where each protein's rows stand in what was encoded in `order`."""
    starts = np.empty_like(order)
    starts[order] = np.cumsum(counts[order]) - counts[order]
    return torch.from_numpy(ragged_rows(starts, counts))


def _encode(encoder: ModelEncoder, sequences: Sequence[str]) -> Float[Tensor, "R D"]:
    with encoder.autocast():
        return encoder.encode(encoder.pack(sequences)).float()


def micro_batches(
    examples: IntArray, members: IntArray, *, costs: IntArray, budget: float
) -> list[IntArray]:
    """Split a batch so that the distinct proteins of each piece stay within a token budget.

    Examples
    --------
    >>> pairs = np.array([[0, 1], [0, 2], [3, 4]])
    >>> pieces = micro_batches(np.arange(3), pairs, costs=np.full(5, 10), budget=35)
    >>> [piece.tolist() for piece in pieces]
    [[0, 1], [2]]
    """
    pieces: list[list[int]] = [[]]
    inside: set[int] = set()
    for example in examples:
        proteins = set(members[example].tolist())
        if pieces[-1] and sum(costs[p] for p in inside | proteins) > budget:
            pieces.append([])
            inside = set()
        pieces[-1].append(int(example))
        inside |= proteins
    return [np.array(piece, dtype=np.int64) for piece in pieces]
