"""An encoder with its vocabulary and its origin: packed tokens in, residue embeddings out."""

from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from peftide.backbones.architecture import Architecture
from peftide.backbones.layers import entering, frozen_layers, leaving, only_layers
from peftide.packing import PackedBatch, pack
from peftide.tokens import Vocabulary


@dataclass(frozen=True)
class Origin:
    """Where a backbone comes from.

    Attributes
    ----------
    name
        As the user wrote it: folder, hub id, alias or `random:<alias>`.
    model_type
        Key of `BACKBONES`.
    revision
        Commit of a hub checkpoint, else None.
    weights_sha256
        Hash of all weights.
    """

    name: str
    model_type: str
    revision: str | None
    weights_sha256: str

    @property
    def is_random(self) -> bool:
        """Whether the weights were never trained."""
        return self.name.startswith("random:")


class Backbone(nn.Module):
    """A protein language model that reads packed batches.

    Attributes
    ----------
    model
        The `transformers` model, or the `peft` model around it.
    """

    model: Any

    def __init__(
        self,
        model: PreTrainedModel,
        *,
        architecture: Architecture,
        vocabulary: Vocabulary,
        origin: Origin,
    ) -> None:
        super().__init__()
        architecture.prepare(model)
        self.model = model
        self.architecture = architecture
        self.vocabulary = vocabulary
        self.origin = origin
        self.config: Any = model.config

    @property
    def width(self) -> int:
        """Embedding width D."""
        return self.config.hidden_size

    @property
    def layers(self) -> int:
        """Number of layers."""
        return self.config.num_hidden_layers

    @property
    def max_residues(self) -> int | None:
        """Longest sequence the positions allow, or None."""
        return self.architecture.max_residues(self.config)

    def pack(self, sequences: list[str], *, max_length: int | None) -> PackedBatch:
        """Encode sequences to token ids and put them end to end."""
        return pack(
            [self.vocabulary.encode(sequence, max_length=max_length) for sequence in sequences],
            first_position=self.architecture.first_position(self.config),
            prefix=len(self.vocabulary.prefix),
            suffix=len(self.vocabulary.suffix),
        )

    def forward(self, batch: PackedBatch) -> Float[Tensor, "N D"]:
        """Return one embedding per token; from the hidden states of lower layers if it has them."""
        if batch.hidden is None:
            return self._run(batch)
        above = slice(batch.layers_done, None)
        with (
            only_layers(self.model, self.architecture.layer_prefix, above) as upper,
            entering(upper[0], batch.hidden[None]),
        ):
            return self._run(batch)

    @property
    def frozen_layers(self) -> int:
        """How many layers lie below everything that trains, where a model can be cut there."""
        if self.architecture.first_layer_serves_all:
            return 0
        return frozen_layers(self.model, self.architecture.layer_prefix)

    def hidden_states(self, batch: PackedBatch, layers: int) -> Float[Tensor, "N D"]:
        """Return what the first layers (at least one) make of each token."""
        prefix = self.architecture.layer_prefix
        with only_layers(self.model, prefix, slice(layers)) as lower, leaving(lower[-1]) as found:
            self._run(batch)
        return found[0][0]

    def _run(self, batch: PackedBatch) -> Float[Tensor, "N D"]:
        output = self.model(
            input_ids=batch.input_ids[None],
            position_ids=batch.position_ids[None],
            sequence_lengths=batch.lengths,
        )
        return output.last_hidden_state[0]
