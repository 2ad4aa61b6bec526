"""The encoders of T5 models, such as ProtT5 and Ankh, by `transformers`."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from peftide.backbones.architecture import Architecture
from peftide.backbones.checkpoint_files import require_one_of
from peftide.backbones.weights import load_weights
from peftide.errors import BackboneError
from peftide.packing import PackedBatch, attend, register_attention, within_sequences

T5_ATTENTION = "peftide_packed_t5"
LETTERS = "ALGVSREDTIPKFQNYMHWCXBOUZ"
"""Residues in the order of ProtT5's vocabulary."""


def load_t5(folder: Path, **settings: Any) -> Any:
    """Load the encoder of a T5 checkpoint; it may have a decoder too."""
    from transformers import T5EncoderModel

    return load_weights(T5EncoderModel, folder, **settings)[0]


def random_t5(config: Any) -> Any:
    """Return the encoder of a T5 with its own random initialisation."""
    from transformers import T5EncoderModel

    return T5EncoderModel(config)


def t5_tokenizer(folder: Path | None) -> Any:
    """Return the tokenizer of a checkpoint, or ProtT5's alphabet for random weights.

    Raises
    ------
    BackboneError
        If the folder has none, or has one of sentencepiece, which is not installed.
    """
    from transformers import PreTrainedTokenizerFast, T5Tokenizer

    if folder is None:
        special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
        return T5Tokenizer([*special, *((f"▁{letter}", -1.0) for letter in LETTERS)])
    require_one_of(folder, ["tokenizer.json", "spiece.model"], what="tokenizer")
    if (folder / "tokenizer.json").is_file():
        # as it stands: T5Tokenizer would put ProtT5's word marks into Ankh's sequences
        return PreTrainedTokenizerFast.from_pretrained(folder)
    absent = [name for name in ("sentencepiece", "google.protobuf") if not _is_installed(name)]
    if absent:
        raise BackboneError(
            f"to read {folder / 'spiece.model'}, {' and '.join(absent)} must be installed",
            where="--backbone",
            fix="pip install 'peftide[sentencepiece]'",
        )
    return T5Tokenizer.from_pretrained(folder)


def _is_installed(name: str) -> bool:
    package = name.partition(".")[0]
    return find_spec(package) is not None and find_spec(name) is not None


def use_biased_attention(model: Any) -> None:
    """Let a T5 read packed rows: its attention takes a bias for each distance."""
    register_attention(T5_ATTENTION, biased_attention)
    model.set_attn_implementation(T5_ATTENTION)


def encode_t5(model: Any, batch: PackedBatch, layers: int | None) -> Float[Tensor, "1 N D"]:
    """Run a T5 up to a number of layers; `Architecture.encode` has the rules.

    The first layer holds the bias of all layers. It is made once, as large as the longest sequence
    and not as the whole row.
    """
    stack, longest = model.encoder, max(batch.lengths)
    if batch.hidden is None:
        hidden = stack.dropout(stack.embed_tokens(batch.input_ids[None]))
    else:
        hidden = batch.hidden[None]
    bias = stack.block[0].layer[0].SelfAttention.compute_bias(longest, longest)
    for layer in [*stack.block][batch.layers_done : layers]:
        hidden = layer(hidden, None, bias, sequence_lengths=batch.lengths)[0]
    return hidden if layers is not None else stack.dropout(stack.final_layer_norm(hidden))


def biased_attention(
    module: torch.nn.Module,
    query: Float[Tensor, "1 heads N width"],
    key: Float[Tensor, "1 heads N width"],
    value: Float[Tensor, "1 heads N width"],
    attention_mask: None = None,
    **options: Any,
) -> tuple[Float[Tensor, "1 N heads width"], None]:
    """Attend within each sequence of a packed row, with the bias for the distance in it.

    Neighbours of equal length go through one call.
    """
    bias = options["position_bias"]

    def attend_by_distance(*inputs: Tensor) -> Tensor:
        length = inputs[0].shape[2]
        return attend(
            *inputs,
            attn_mask=bias[:, :, :length, :length],
            dropout_p=options["dropout"],
            scale=options["scaling"],
        )

    rows = (query, key, value)
    return within_sequences(attend_by_distance, rows, options["sequence_lengths"]), None


def t5_config(layers: int, width: int, attention_heads: int, **changes: Any) -> Any:
    """Return the configuration of a protein T5 of the given shape (width: D)."""
    from transformers import T5Config

    settings: dict[str, Any] = {
        "vocab_size": 128,
        "num_layers": layers,
        "d_model": width,
        "num_heads": attention_heads,
    }
    return T5Config(**(settings | changes))


ANKH: dict[str, Any] = {
    "vocab_size": 144,
    "d_kv": 64,
    "feed_forward_proj": "gated-gelu",
    "relative_attention_num_buckets": 64,
    "dropout_rate": 0.0,
}


def ankh_config(layers: int, width: int, attention_heads: int, **changes: Any) -> Any:
    """Return the configuration of an Ankh of the given shape (width: D)."""
    return t5_config(layers, width, attention_heads, **(ANKH | changes))


T5 = Architecture(
    summary="ProtT5, Ankh",
    load=load_t5,
    random_model=random_t5,
    tokenizer=t5_tokenizer,
    encode=encode_t5,
    layer_prefix="encoder.block",
    attention_modules={
        "query": "layer.0.SelfAttention.q",
        "key": "layer.0.SelfAttention.k",
        "value": "layer.0.SelfAttention.v",
        "output": "layer.0.SelfAttention.o",
    },
    first_position=lambda _config: 0,
    max_residues=lambda _config: None,
    prepare=use_biased_attention,
)
