"""The encoders of T5 models, such as ProtT5 and Ankh, by `transformers`."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import (
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from peftide.backbones.architecture import Aliases, Architecture
from peftide.backbones.weights import load_weights
from peftide.errors import BackboneError
from peftide.packing import attend, register_attention, within_sequences

T5_ATTENTION = "peftide_packed_t5"
LETTERS = "ALGVSREDTIPKFQNYMHWCXBOUZ"
"""Residues in the order of ProtT5's vocabulary."""


def load_t5(folder: Path, **settings: Any) -> T5EncoderModel:
    """Load the encoder of a T5 checkpoint, whether or not it has a decoder beside it."""
    return load_weights(T5EncoderModel, folder, **settings)[0]


def t5_tokenizer(folder: Path | None) -> PreTrainedTokenizerBase:
    """Return the tokenizer of a checkpoint, or ProtT5's alphabet for random weights.

    Raises
    ------
    BackboneError
        If the folder has none, or it is one of sentencepiece and that is not installed.
    """
    if folder is None:
        special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
        return T5Tokenizer([*special, *((f"▁{letter}", -1.0) for letter in LETTERS)])
    if (folder / "tokenizer.json").is_file():
        # as it stands: T5Tokenizer would put ProtT5's word marks into Ankh's sequences
        return PreTrainedTokenizerFast.from_pretrained(folder)
    if not (folder / "spiece.model").is_file():
        raise BackboneError(
            f"{folder} holds no tokenizer",
            expected="tokenizer.json or spiece.model",
            where="--backbone",
        )
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
    """Let a T5 read packed rows: positions enter its attention, as a bias for each distance."""
    register_attention(T5_ATTENTION, biased_attention)
    model.set_attn_implementation(T5_ATTENTION)
    first = model.encoder.block[0].layer[0].SelfAttention  # makes the bias for all layers
    first.register_forward_pre_hook(_bias_of_longest, with_kwargs=True)


def _bias_of_longest(
    attention: Any, inputs: tuple[Any, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Make the bias for the longest sequence, not for the whole row: of no other is more used."""
    longest = max(options["sequence_lengths"])
    return inputs, options | {"position_bias": attention.compute_bias(longest, longest)}


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


def t5_config(layers: int, width: int, attention_heads: int, **changes: Any) -> T5Config:
    """Return the configuration of a protein T5 of the given shape (width: D)."""
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

# Shapes: Elnaggar et al. 2022, doi 10.1109/TPAMI.2021.3095381 (ProtT5-XL), and
# Elnaggar et al. 2023, doi 10.48550/arXiv.2301.06568 (Ankh).
T5_ALIASES: Aliases = {
    "prot_t5": (
        "Rostlab/prot_t5_xl_half_uniref50-enc",
        lambda: t5_config(24, 1024, 32, d_kv=128, d_ff=16384),
    ),
    "ankh_base": ("ElnaggarLab/ankh-base", lambda: t5_config(48, 768, 12, d_ff=3072, **ANKH)),
    "ankh_large": ("ElnaggarLab/ankh-large", lambda: t5_config(48, 1536, 16, d_ff=3840, **ANKH)),
}

T5 = Architecture(
    summary="ProtT5, Ankh",
    load=load_t5,
    random_model=T5EncoderModel,
    tokenizer=t5_tokenizer,
    layer_prefix="encoder.block",
    attention_modules={
        "query": "layer.0.SelfAttention.q",
        "key": "layer.0.SelfAttention.k",
        "value": "layer.0.SelfAttention.v",
        "output": "layer.0.SelfAttention.o",
    },
    first_position=lambda _config: 0,
    max_residues=lambda _config: None,
    aliases=T5_ALIASES,
    prepare=use_biased_attention,
    first_layer_serves_all=True,
)
