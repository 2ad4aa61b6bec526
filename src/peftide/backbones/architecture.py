"""What peftide must know of a family of encoders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from peftide.backbones.esm_masked import EsmMaskedLM
from peftide.errors import BackboneError
from peftide.packing import PACKED_ATTENTION, register_packed_attention

Aliases = Mapping[str, tuple[str | None, Callable[[], Any]]]
"""Short name → hub id (None: only as `random:<alias>`) and configuration."""


def use_packed_attention(model: PreTrainedModel) -> None:
    """Let a model whose attention knows nothing of positions read packed rows."""
    register_packed_attention()
    model.set_attn_implementation(PACKED_ATTENTION)


@dataclass(frozen=True)
class Architecture:
    """One family of encoders, as one value in `BACKBONES`.

    Attributes
    ----------
    summary
        One line for the documentation.
    load
        Folder, and further arguments of `from_pretrained` → the model alone, no pooler, no head.
    random_model
        Configuration → the same model with random weights.
    tokenizer
        Folder → its tokenizer; None → the family's own alphabet.
    layer_prefix
        Module path of the list of layers; layer k is `<layer_prefix>.<k>` (0-based).
    attention_modules
        `query`, `key`, `value`, `output` → module path inside a layer.
    first_position
        Position id of the first token.
    max_residues
        Longest sequence the positions allow, or None for relative positions.
    aliases
        Short names of published checkpoints.
    prepare
        Let a model read packed rows; its `forward` is then given `sequence_lengths`.
    first_layer_serves_all
        Whether upper layers need what the first one computes (as T5 does): it cannot be left out.
    masked_language_model
        Folder or configuration → the model with its language-model head, for pretraining.
    """

    summary: str
    load: Callable[..., PreTrainedModel]
    random_model: Callable[[Any], PreTrainedModel]
    tokenizer: Callable[[Path | None], PreTrainedTokenizerBase]
    layer_prefix: str
    attention_modules: Mapping[str, str]
    first_position: Callable[[Any], int]
    max_residues: Callable[[Any], int | None]
    aliases: Aliases = field(default_factory=dict)
    prepare: Callable[[PreTrainedModel], None] = use_packed_attention
    first_layer_serves_all: bool = False
    masked_language_model: Callable[[Path | PretrainedConfig], EsmMaskedLM] | None = None

    def pretrainable(self) -> Callable[[Path | PretrainedConfig], EsmMaskedLM]:
        """Return `masked_language_model`.

        Raises
        ------
        BackboneError
            If the family has none.
        """
        if self.masked_language_model is None:
            raise BackboneError(
                f"peftide cannot pretrain models of this family ({self.summary})",
                expected="a checkpoint of model type esm",
                where="--backbone",
            )
        return self.masked_language_model
