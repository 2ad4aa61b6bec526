"""Inputs of a training: labelled examples, and the source of the protein embeddings."""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from peftide.adapters.adapter import Steering
from peftide.backbones import LayeredBackbone, cut_below_training
from peftide.config import TrainConfig
from peftide.encoding import ModelEncoder
from peftide.engine.embedding import Embeddings
from peftide.engine.vector_bank import VectorBank
from peftide.hardware import GRAPH_BATCHES, Hardware
from peftide.packing import token_budget_batches
from peftide.ragged import ragged_rows
from peftide.tasks import Labels, Targets, Task
from peftide.types import IntArray

GRAPH_BYTES = 500_000_000
"""Memory of a CPU for the activations of one piece of a batch."""


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

    def counted_rows(self, examples: IntArray) -> float:
        """Return the number of rows of some examples that count."""
        return float(self.targets.counted[self.targets.rows(examples)].sum())


@dataclass(frozen=True)
class RowSource:
    """Source of the protein embeddings during training.

    Attributes
    ----------
    rows
        Distinct proteins → their embeddings, one protein after the other, with a graph if the
        backbone trains.
    counts
        Rows of each protein. Shape (P,).
    costs
        Tokens of each protein. Shape (P,).
    batch_tokens
        Token budget of one packed batch.
    budget
        Number of tokens whose activations are kept at a time.
    smaller
        Makes the same source with half of both budgets; None if nothing is encoded.
    """

    rows: Callable[[IntArray], Float[Tensor, "R D"]]
    counts: IntArray
    costs: IntArray
    batch_tokens: int
    budget: float
    smaller: "Callable[[], RowSource] | None" = None

    @property
    def encodes(self) -> bool:
        """Whether rows are encoded anew each time; stored rows need no budget."""
        return math.isfinite(self.budget)


@dataclass(frozen=True)
class Fitting:
    """Everything that one training needs, besides the model.

    Attributes
    ----------
    validate
        Scores the current model on the validation part: metric name → value.
    on_epoch
        Called with the history after each epoch.
    checkpoints
        Folder for resume points.
    steer
        Number of optimizer steps → a hook that the method runs at each step, or None.
    says_epochs
        Whether the log has a line for each epoch.
    keeps_start
        Whether the weights before the first step compete with those after each epoch.
    bank
        The vectors of all proteins, for batches that are blocks of proteins.
    """

    config: TrainConfig
    task: Task
    labels: Labels
    part: LabelledPart
    source: RowSource
    hardware: Hardware
    learning_rate: float
    validate: Callable[[], dict[str, float]]
    on_epoch: Callable[[list[dict[str, Any]]], None]
    checkpoints: Path
    steer: Callable[[int], Steering] | None = None
    says_epochs: bool = True
    keeps_start: bool = False
    bank: VectorBank | None = None


def cached_rows(embeddings: Embeddings, device: torch.device) -> RowSource:
    """Return a source of stored rows; it encodes nothing and needs no token budget."""
    counts = np.diff(embeddings.offsets)

    def rows(proteins: IntArray) -> Float[Tensor, "R D"]:
        places = ragged_rows(embeddings.offsets[proteins], counts[proteins])
        return embeddings.rows[torch.from_numpy(places)].float().to(device)

    return RowSource(rows, counts, np.zeros_like(counts), batch_tokens=1, budget=float("inf"))


def encoded_rows(
    encoder: ModelEncoder, sequences: Sequence[str], *, max_tokens: int | None = None
) -> RowSource:
    """Return a source that encodes rows anew each time, because the backbone changes.

    Parameters
    ----------
    max_tokens
        Token budget of a packed batch; None takes the default of the hardware.
    """
    batch_tokens = encoder.hardware.max_tokens if max_tokens is None else max_tokens
    budget = min(GRAPH_BATCHES * batch_tokens, graph_tokens(encoder))
    batch_tokens = min(batch_tokens, budget)
    tokens, counts = encoder.tokens(sequences), encoder.rows(sequences)

    def rows(proteins: IntArray) -> Float[Tensor, "R D"]:
        batches = token_budget_batches(tokens[proteins], batch_tokens)
        encoded = [
            _encode(encoder, [sequences[int(p)] for p in proteins[batch]]) for batch in batches
        ]
        return torch.cat(encoded)[unsorted_rows(np.concatenate(batches), counts[proteins])]

    return RowSource(
        *(rows, counts, tokens, batch_tokens),
        budget=budget,
        smaller=lambda: encoded_rows(encoder, sequences, max_tokens=max(1, batch_tokens // 2)),
    )


def graph_tokens(encoder: ModelEncoder) -> int:
    """Return how many tokens' activations training may keep, by their memory; no limit on a GPU.

    On a CPU, smaller pieces of a batch are as fast, and their gradients add up to the same.
    """
    backbone = encoder.model.backbone
    if encoder.hardware.device.type != "cpu" or not isinstance(backbone, LayeredBackbone):
        return sys.maxsize
    numbers = backbone.width * (backbone.layers - cut_below_training(backbone))
    return int(GRAPH_BYTES / (backbone.activation_bytes * numbers * encoder.layers_each))


def unsorted_rows(order: IntArray, counts: IntArray) -> Tensor:
    """Return the index of each protein's rows among the rows encoded in `order`."""
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
    if math.isinf(budget):
        return [examples]
    pieces: list[list[int]] = [[]]
    inside: set[int] = set()
    room = budget
    for example, proteins in zip(examples, members[examples], strict=True):
        new = set(proteins.tolist()) - inside
        if pieces[-1] and sum(costs[p] for p in new) > room:
            pieces.append([])
            inside, room, new = set(), budget, set(proteins.tolist())
        pieces[-1].append(int(example))
        inside |= new
        room -= sum(costs[p] for p in new)
    return [np.array(piece, dtype=np.int64) for piece in pieces]
