"""A backbone: packed tokens in, residue embeddings out. The rest of peftide depends on this alone.

`Backbone` holds what every backbone must have. `LayeredBackbone` adds what only a stack of named
layers has; a recurrent network does without. Code that needs layers asks for them with `layers_of`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from peftide.backbones.origin import Origin
from peftide.errors import InputError
from peftide.packing import PackedBatch
from peftide.parameters import trained_parameters
from peftide.tokens import Vocabulary


class Backbone(nn.Module, ABC):
    """A protein language model that reads packed batches.

    It is a class and not a `Protocol` because a model registers it as a submodule.

    Attributes
    ----------
    model
        The network, an `nn.Module`. Its parameters train, and files store them under its names.
    vocabulary
        Token ids of residues, and the special tokens around a sequence.
    origin
        Where the weights come from.
    width
        Embedding width D.
    max_residues
        Longest sequence that the model can read; None: no limit.
    budget_factor
        Factor on the usual token budget of a device. A recurrent network reads one token of each
        sequence at a time, so it needs many sequences in a batch.
    takes_int8
        Whether products in 8 bits keep the directions of its vectors.
    learning_rate_factor
        Factor on the default learning rates of the methods.
    is_recurrent
        Whether a pass multiplies by the same matrices at every residue.
    """

    model: Any
    vocabulary: Vocabulary
    origin: Origin
    width: int
    max_residues: int | None
    budget_factor: int = 1
    takes_int8: bool = True
    learning_rate_factor: float = 1.0
    is_recurrent: bool = False

    @property
    def has_summary_token(self) -> bool:
        """Whether the first token sees the whole sequence, as `<cls>` does."""
        return bool(self.vocabulary.prefix)

    @abstractmethod
    def pack(self, sequences: list[str], *, max_length: int | None) -> PackedBatch:
        """Encode sequences, cropped to `max_length` residues, and put them end to end."""

    @abstractmethod
    def forward(self, batch: PackedBatch) -> Float[Tensor, "N D"]:
        """Return one embedding per token."""

    def letter_logits(
        self, tokens: Float[Tensor, "N D"], batch: PackedBatch
    ) -> Float[Tensor, "R V"] | None:
        """Return the logits of the tokens at each residue; None without an output layer.

        A masked language model reads the whole sequence, in which nothing is masked; a
        left-to-right language model reads the residues before.

        Parameters
        ----------
        tokens
            Embeddings that `forward` returns.
        batch
            The batch that they belong to.
        """
        return None

    def train_as_if_larger(self, times: float) -> None:
        """Use memory in training as with batches that are so many times larger.

        `peftide plan` measures a small step to forecast a large one. A backbone that changes its
        way with the size of the batch must then choose the way of the large one. Each call
        replaces the one before.
        """


class LayeredBackbone(Backbone, ABC):
    """A backbone whose layers have names, and that can be cut between two layers.

    `forward` continues from `batch.hidden` if the batch has hidden states.

    Attributes
    ----------
    layers
        Number of layers.
    layer_prefix
        Module path of the list of layers in `model`; layer k is `<layer_prefix>.<k>` (0-based).
    attention_modules
        Name of a matrix that adapters may change → module path inside a layer. For attention the
        names are `query`, `key`, `value` and `output`; empty if there is none.
    """

    layers: int
    layer_prefix: str
    attention_modules: Mapping[str, str]
    default_targets: tuple[str, ...] = ("key", "value")
    """Matrices that `--lora-targets auto` means."""
    activation_bytes: int = 40
    """Bytes that the backward pass through a layer keeps for each token and dimension, in bf16."""

    @abstractmethod
    def hidden_states(self, batch: PackedBatch, layers: int) -> Float[Tensor, "N D"]:
        """Return the hidden states of each token after the first layers."""

    def every_layer(self, batch: PackedBatch) -> Iterator[Float[Tensor, "N D"]]:
        """Yield the embeddings of a backbone that ends after each layer, in one pass."""
        for layer in range(self.layers):
            hidden = self.hidden_states(batch, layer + 1)
            batch = replace(batch, hidden=hidden, layers_done=layer + 1)
            yield self(replace(batch, layers_done=self.layers))

    @abstractmethod
    def recompute_activations(self) -> None:
        """Save memory: compute the activations of each layer again in the backward pass."""

    @property
    def frozen_layers(self) -> int:
        """Number of layers below everything that trains.

        A parameter that trains outside the layers counts as lying below them, which is always safe.
        """
        inside, lowest = f"{self.layer_prefix}.", self.layers
        for name in trained_parameters(self.model):
            _, found, rest = name.partition(inside)
            lowest = min(lowest, int(rest.partition(".")[0]) if found else 0)
        return lowest


def cut_below_training(backbone: Backbone) -> int:
    """Return how many layers need not run in every step; 0 if the backbone has no layers.

    These are the layers below everything that trains. The last layer always runs.
    """
    if not isinstance(backbone, LayeredBackbone):
        return 0
    return min(backbone.frozen_layers, backbone.layers - 1)


def layers_of(backbone: Backbone, *, where: str, fix: str) -> LayeredBackbone:
    """Return the backbone as one with layers.

    Parameters
    ----------
    where
        Option that needs layers.
    fix
        Advice to the user, for the error message.

    Raises
    ------
    InputError
        If the backbone has no layers.
    """
    if not isinstance(backbone, LayeredBackbone):
        raise InputError(
            f"the backbone {backbone.origin.name} has no layers that peftide can choose from",
            where=where,
            fix=fix,
        )
    return backbone
