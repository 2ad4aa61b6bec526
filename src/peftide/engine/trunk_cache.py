"""Hidden states of the frozen layers, computed once per distinct protein and kept on disk.

::

    run 1, epoch 1    sequences ─> frozen layers ─> hidden states ─> disk (memory-mapped)
    ever after                                      hidden states ─> trained layers ─> …
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from peftide.backbones import LayeredBackbone
from peftide.backbones.weights import tensors_sha256
from peftide.engine.embedding import Embeddings, embed
from peftide.engine.store import EmbeddingPlan, embedding_key
from peftide.hardware import Hardware
from peftide.packing import PackedBatch
from peftide.ragged import ragged_rows
from peftide.types import IntArray

FORMAT_VERSION = 1  # version of the stored files; a new version invalidates old stores


@dataclass(frozen=True)
class TrunkCache:
    """Hidden states of some sequences after the frozen layers.

    Attributes
    ----------
    layers
        Number of frozen layers that produced the states.
    states
        One row per token of each sequence.
    places
        Sequence → its index in `states`.
    """

    layers: int
    states: Embeddings
    places: dict[str, int]

    def add_to(self, batch: PackedBatch, sequences: Sequence[str]) -> PackedBatch:
        """Return a batch with the hidden states of its tokens, if all its sequences are known."""
        if any(sequence not in self.places for sequence in sequences):
            return batch
        places = np.array([self.places[sequence] for sequence in sequences])
        starts = self.states.offsets[places]
        counts = self.states.offsets[places + 1] - starts
        rows = self.states.rows[torch.from_numpy(ragged_rows(starts, counts))]
        return replace(batch, hidden=rows.float(), layers_done=self.layers)


@dataclass(frozen=True)
class TrunkEncoder:
    """Encodes sequences to their hidden states after the first layers, one row per token."""

    backbone: LayeredBackbone
    layers: int
    hardware: Hardware
    max_length: int | None

    def pack(self, sequences: Sequence[str]) -> PackedBatch:
        """Return the sequences as one packed batch."""
        return self.backbone.pack(list(sequences), max_length=self.max_length)

    def encode(self, batch: PackedBatch) -> Float[Tensor, "N D"]:
        """Return the hidden states of a packed batch."""
        return self.backbone.hidden_states(batch.to(self.hardware.device), self.layers)

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context in which to encode."""
        return self.hardware.autocast()


def trunk_plan(encoder: TrunkEncoder, sequences: Sequence[str], tokens: IntArray) -> EmbeddingPlan:
    """Return the size of the hidden states of distinct sequences, and their key.

    Parameters
    ----------
    tokens
        Number of tokens of each cropped sequence. Shape (P,).
    """
    hardware = encoder.hardware
    settings = (lower_weights_sha256(encoder.backbone, encoder.layers), encoder.layers)
    return EmbeddingPlan(
        width=encoder.backbone.width,
        max_tokens=hardware.max_tokens,
        tokens=tokens,
        rows=tokens,
        row_type=torch.bfloat16 if hardware.dtype is torch.bfloat16 else torch.float32,
        key=embedding_key(
            sequences,
            *("hidden states", FORMAT_VERSION, *settings, encoder.max_length),
            *(hardware.precision, encoder.backbone.origin.reading),
        ),
        title="encoding the frozen layers",
    )


def fill_trunk_cache(
    encoder: TrunkEncoder, sequences: Sequence[str], plan: EmbeddingPlan, *, store: Path
) -> TrunkCache:
    """Compute the hidden states that are not yet in the store."""
    states = embed(encoder, sequences, plan, store=store / plan.key[:16])
    places = {sequence: place for place, sequence in enumerate(sequences)}
    return TrunkCache(encoder.layers, states, places)


def lower_weights_sha256(backbone: LayeredBackbone, layers: int) -> str:
    """Return one hash of all weights except the layers from index `layers` on."""
    inside = f"{backbone.layer_prefix}."

    def is_lower(name: str) -> bool:
        _, found, rest = name.partition(inside)
        return not found or int(rest.partition(".")[0]) < layers

    state = backbone.model.state_dict()
    # the prefix that peft adds does not depend on the weights
    return tensors_sha256(
        {name.removeprefix("base_model.model."): t for name, t in state.items() if is_lower(name)}
    )
