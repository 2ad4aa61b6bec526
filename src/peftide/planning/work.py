"""A training about to begin → how many tokens it will encode, in which passes."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from peftide.encoding import DISK_SHARE, ModelEncoder
from peftide.files import free_bytes
from peftide.packing import token_budget_batches
from peftide.planning.cost import Load, load_of
from peftide.sequences import Dataset
from peftide.training import Fitting
from peftide.training.batches import choose_batches
from peftide.training.gradients import graph_pieces
from peftide.training.setting import SCALING_PROTEINS, Setting
from peftide.types import IntArray

SCALING_BYTES = 20
"""Of each number of the rows that the scaling is fitted on: as float, as double, squared."""
MOST_BATCHES = 200
"""Batches of an epoch that are looked at; the others are taken to be like them."""


@dataclass(frozen=True)
class EpochWork:
    """What one epoch does.

    Attributes
    ----------
    steps, examples
        Optimizer steps, and examples that go through the head.
    graph
        Forward and backward passes.
    first_pass
        Forward passes without graph, where a batch is encoded in two passes.
    pieces
        Proteins of some pieces whose graphs are held at the same time.
    batches
        Some batches of examples.
    """

    steps: int
    examples: int
    graph: Load
    first_pass: Load
    pieces: list[IntArray]
    batches: list[IntArray]

    def largest_piece(self, costs: IntArray) -> IntArray:
        """Return the proteins of the piece with most tokens."""
        return max(self.pieces, key=lambda piece: costs[piece].sum())


def epoch_work(fitting: Fitting) -> EpochWork:
    """Return what the first epoch does; the others do as much."""
    batches = choose_batches(fitting)(0)
    some = batches[:MOST_BATCHES]
    share = sum(map(len, batches)) / sum(map(len, some))
    graph, first_pass, pieces = Load(), Load(), []
    if np.isfinite(fitting.source.budget):
        for batch in some:
            found, twice = encoded_pieces(fitting, batch)
            load = _packed_load(fitting, found)
            graph, first_pass = graph + load, first_pass + load * float(twice)
            pieces += found
    return EpochWork(
        len(batches),
        sum(map(len, batches)),
        graph * share,
        first_pass * share,
        pieces,
        some,
    )


def encoded_pieces(fitting: Fitting, batch: IntArray) -> tuple[list[IntArray], bool]:
    """Return the proteins of each piece of a batch, and whether it is encoded in two passes."""
    members, source = fitting.part.members, fitting.source
    pieces = graph_pieces(fitting, batch)
    if pieces is not None:
        return [np.unique(members[piece]) for piece in pieces], False
    proteins = np.unique(members[batch])
    order = token_budget_batches(source.costs[proteins], source.batch_tokens)
    return [proteins[piece] for piece in order], True


def _packed_load(fitting: Fitting, pieces: Iterable[IntArray]) -> Load:
    source, total = fitting.source, Load()
    for piece in pieces:
        packed = token_budget_batches(source.costs[piece], source.batch_tokens)
        total += load_of(source.costs[piece], packed)
    return total


@dataclass(frozen=True)
class Storage:
    """What frozen layers compute once, and whether it is kept on disk.

    Attributes
    ----------
    kind
        Embeddings (nothing below the head trains), hidden states (of the layers below what
        trains), or nothing.
    size_bytes
        Their size.
    room_bytes
        What the disk and `--trunk-gb` allow.
    """

    kind: str
    size_bytes: int = 0
    room_bytes: float = 0.0

    @property
    def is_kept(self) -> bool:
        """Whether a training keeps them; hidden states that do not fit are computed anew."""
        return self.kind == "embeddings" or (
            self.kind == "hidden states" and self.size_bytes <= self.room_bytes
        )


@dataclass(frozen=True)
class OnceWork:
    """What is encoded outside of optimizer steps.

    Attributes
    ----------
    stored
        Once, for storage.
    sample
        Once, to fit the scaling.
    validation
        After each epoch.
    scored, unstored
        Validation and tests, after training; the latter are those that storage does not hold.
    row_bytes
        The rows of the largest part, or those that the scaling is fitted on.
    batches
        The packed batches of everything.
    """

    stored: Load
    sample: Load
    validation: Load
    scored: Load
    unstored: Load
    row_bytes: float
    batches: list[IntArray]


def once_work(setting: Setting, storage: Storage) -> OnceWork:
    """Return what a training encodes outside of its steps."""
    dataset, encoder = setting.problem.dataset, setting.encoder
    lengths = encoder.tokens(dataset.proteins.sequences)
    parts = {name: members_of(dataset, name) for name in dataset.parts}
    packed = {name: packed_batches(encoder, dataset, proteins) for name, proteins in parts.items()}
    loads = {name: load_of(lengths, batches) for name, batches in packed.items()}
    everyone = packed_batches(encoder, dataset, np.arange(len(dataset.proteins)))
    repeated = packed_batches(encoder, dataset, members_of(dataset, "train", "validation"))
    if storage.kind == "embeddings":
        size = 1.0 * len(parts["train"]) * encoder.model.backbone.width * SCALING_BYTES
        none = Load()
        return OnceWork(
            load_of(lengths, everyone), none, none, none, none, row_bytes=size, batches=everyone
        )
    tests = [load for name, load in loads.items() if name not in ("train", "validation")]
    sample = loads["train"] * min(1.0, SCALING_PROTEINS / len(parts["train"]))
    return OnceWork(
        load_of(lengths, repeated),
        sample,
        loads["validation"],
        sum(tests, loads["validation"]),
        sum(tests, Load()),
        max(_row_bytes(setting, proteins) for proteins in parts.values()),
        everyone,
    )


def _row_bytes(setting: Setting, proteins: IntArray) -> float:
    sequences = setting.problem.dataset.proteins.sequences
    rows = setting.encoder.rows([sequences[p] for p in proteins])
    return float(rows.sum() * setting.model.backbone.width * (4 if rows.max() == 1 else 2))


def storage_of(setting: Setting, *, cut: int, store: Path) -> Storage:
    """Return what a training keeps of its frozen layers.

    Parameters
    ----------
    cut
        Layers below what trains; 0: none can be computed apart.
    store
        Folder for it.
    """
    dataset, width = setting.problem.dataset, setting.model.backbone.width
    if setting.embeddings is not None:
        rows = setting.embeddings.rows
        return Storage("embeddings", len(rows) * width * rows.dtype.itemsize, free_bytes(store))
    if not cut:
        return Storage("nothing")
    proteins = members_of(dataset, "train", "validation")
    sequences = {dataset.proteins.sequences[p] for p in proteins}
    kept = torch.bfloat16 if setting.hardware.precision == "bf16" else torch.float32
    size = int(setting.encoder.tokens(list(sequences)).sum()) * width * kept.itemsize
    room = min(setting.config.trunk_gb * 1e9, DISK_SHARE * free_bytes(store))
    return Storage("hidden states", size, room)


def packed_batches(encoder: ModelEncoder, dataset: Dataset, proteins: IntArray) -> list[IntArray]:
    """Return the packed batches in which distinct sequences of some proteins are embedded."""
    firsts = list({dataset.proteins.sequences[p]: p for p in proteins[::-1]}.values())
    chosen = np.sort(np.array(firsts))
    tokens = encoder.tokens([dataset.proteins.sequences[p] for p in chosen])
    return [chosen[b] for b in token_budget_batches(tokens, encoder.hardware.max_tokens)]


def members_of(dataset: Dataset, *parts: str) -> IntArray:
    """Return the distinct proteins that some parts name."""
    return np.unique(np.concatenate([dataset.parts[part].members.ravel() for part in parts]))
