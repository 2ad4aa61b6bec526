"""A backbone around a model of `transformers`, with or without adapters of `peft` in it.

::

    tokens ─> embeddings ─> layer 0 … layer k-1 ──┬──> layer k … ─> norm ─> residue embeddings
              frozen: the same in every step      └ hidden states, computed once
"""

import warnings
from typing import Any

from jaxtyping import Float
from torch import Tensor

from peftide.backbones.architecture import Architecture
from peftide.backbones.backbone import LayeredBackbone, Origin
from peftide.backbones.esm_output import EsmOutput
from peftide.packing import PackedBatch, pack
from peftide.tokens import Vocabulary


class TransformerBackbone(LayeredBackbone):
    """A transformer encoder that reads packed batches.

    Attributes
    ----------
    model
        The model of `transformers`, or the model of `peft` around it.
    architecture
        How peftide handles the family of the model.
    config
        The configuration of `transformers`.
    output
        The output layer of the language model; None without one.
    """

    def __init__(
        self,
        model: Any,
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
        self.output: EsmOutput | None = None
        self.config: Any = model.config
        self.width = self.config.hidden_size
        self.max_residues = architecture.max_residues(self.config)
        self.layers = self.config.num_hidden_layers
        self.layer_prefix = architecture.layer_prefix
        self.attention_modules = architecture.attention_modules

    def pack(self, sequences: list[str], *, max_length: int | None) -> PackedBatch:
        """Encode sequences, cropped to `max_length` residues, and put them end to end."""
        return pack(
            [self.vocabulary.encode(sequence, max_length=max_length) for sequence in sequences],
            first_position=self.architecture.first_position(self.config),
            prefix=len(self.vocabulary.prefix),
            suffix=len(self.vocabulary.suffix),
        )

    def forward(self, batch: PackedBatch) -> Float[Tensor, "N D"]:
        """Return one embedding per token; hidden states in the batch replace the lower layers."""
        return self.architecture.encode(unwrapped(self.model), batch, None)[0]

    def letter_logits(
        self, tokens: Float[Tensor, "N D"], batch: PackedBatch
    ) -> Float[Tensor, "R V"] | None:
        """Return the logits at each residue, given the whole sequence; None without the layer."""
        return None if self.output is None else self.output(tokens[batch.residue_rows])

    def hidden_states(self, batch: PackedBatch, layers: int) -> Float[Tensor, "N D"]:
        """Return the hidden states of each token after the first layers."""
        return self.architecture.encode(unwrapped(self.model), batch, layers)[0]

    def recompute_activations(self) -> None:
        """Save memory: compute the activations of each layer again in the backward pass."""
        with warnings.catch_warnings():
            # newer releases of transformers only renamed it
            warnings.simplefilter("ignore", FutureWarning)
            self.model.gradient_checkpointing_enable()


def unwrapped(model: Any) -> Any:
    """Return the model of `transformers` inside a model of `peft`; its layers hold the adapters."""
    from transformers import PreTrainedModel  # loaded already: it made the model

    return model if isinstance(model, PreTrainedModel) else model.get_base_model()
