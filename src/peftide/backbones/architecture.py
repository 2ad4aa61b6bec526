"""What peftide must know of a family of encoders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from peftide.backbones.esm_masked import EsmMaskedLM


@dataclass(frozen=True)
class Architecture:
    """One family of encoders, as one value in `BACKBONES`.

    Attributes
    ----------
    summary
        One line for the documentation.
    load
        Folder → the model alone, no pooler, no task head.
    random_model
        Configuration → the same model with random weights.
    masked_language_model
        Folder or configuration → the model with its language-model head, for pretraining.
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
    """

    summary: str
    load: Callable[[Path], PreTrainedModel]
    random_model: Callable[[PretrainedConfig], PreTrainedModel]
    masked_language_model: Callable[[Path | PretrainedConfig], EsmMaskedLM]
    tokenizer: Callable[[Path | None], PreTrainedTokenizerBase]
    layer_prefix: str
    attention_modules: Mapping[str, str]
    first_position: Callable[[Any], int]
    max_residues: Callable[[Any], int | None]
