"""What peftide must know of a family of encoders of `transformers`.

Modules of this package import `transformers` inside functions: it takes seconds to load, and
listing names, checking options and refusing a command do not need it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from peftide.backbones.esm_masked import EsmMaskedLM
from peftide.backbones.esm_output import EsmOutput
from peftide.errors import BackboneError
from peftide.packing import PACKED_ATTENTION, PackedBatch, register_packed_attention


def use_packed_attention(model: Any) -> None:
    """Let a model without positions in its attention read packed rows."""
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
    encode
        Model, packed batch, number of layers → the hidden states after so many layers; None → the
        embeddings after all layers and the last norm. It starts from `batch.hidden` after
        `batch.layers_done` layers if the batch has hidden states, else from the tokens.
    layer_prefix
        Module path of the list of layers; layer k is `<layer_prefix>.<k>` (0-based).
    attention_modules
        `query`, `key`, `value`, `output` → module path inside a layer.
    first_position
        Position id of the first token.
    max_residues
        Longest sequence the positions allow, or None for relative positions.
    prepare
        Let a model read packed rows.
    masked_language_model
        Folder or configuration → the model with its language-model head, for pretraining.
    output
        Folder and model → the output layer of the language model; None if the files lack it.
    """

    summary: str
    load: Callable[..., Any]
    random_model: Callable[[Any], Any]
    tokenizer: Callable[[Path | None], Any]
    encode: Callable[[Any, PackedBatch, int | None], Float[Tensor, "1 N D"]]
    layer_prefix: str
    attention_modules: Mapping[str, str]
    first_position: Callable[[Any], int]
    max_residues: Callable[[Any], int | None]
    prepare: Callable[[Any], None] = use_packed_attention
    masked_language_model: Callable[[Any], EsmMaskedLM] | None = None
    output: Callable[[Path, Any], EsmOutput | None] | None = None

    def pretrainable(self) -> Callable[[Any], EsmMaskedLM]:
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
