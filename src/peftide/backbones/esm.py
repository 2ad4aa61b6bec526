"""ESM-1b, ESM-1v (absolute positions), ESM-2 and SaProt (rotary), by `transformers`."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from peftide.backbones.architecture import Architecture, use_packed_attention
from peftide.backbones.checkpoint_files import require_one_of
from peftide.backbones.esm_layer import use_few_passes
from peftide.backbones.esm_masked import EsmMaskedLM
from peftide.backbones.esm_output import read_esm_output
from peftide.backbones.weights import load_weights
from peftide.packing import PackedBatch

UNUSED_MODULE = "contact_head"
ESM_TOKENS = {"vocab_size": 33, "pad_token_id": 1, "mask_token_id": 32}


def esm_config(layers: int, width: int, attention_heads: int, **changes: Any) -> Any:
    """Return the configuration of an ESM-2 of the given shape (width: D).

    Examples
    --------
    >>> esm_config(6, 320, 20).intermediate_size
    1280
    """
    from transformers import EsmConfig

    settings: dict[str, Any] = {
        **ESM_TOKENS,
        "num_hidden_layers": layers,
        "hidden_size": width,
        "num_attention_heads": attention_heads,
        "intermediate_size": 4 * width,
        "max_position_embeddings": 1026,
        "position_embedding_type": "rotary",
        "token_dropout": True,
        "emb_layer_norm_before": False,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "layer_norm_eps": 1e-5,
    }
    return EsmConfig(**(settings | changes))


def esm1b_config() -> Any:
    """Return the configuration of ESM-1b: absolute positions, a layer norm before the layers."""
    return esm_config(33, 1280, 20, position_embedding_type="absolute", emb_layer_norm_before=True)


def load_esm(folder: Path, **settings: Any) -> Any:
    """Load an ESM checkpoint without pooler (ESM-2 checkpoints have no pooler weights).

    Raises
    ------
    BackboneError
        If the weights cannot be read or are incomplete: missing ones would be random.
    """
    from transformers import EsmModel

    model, lacks_unused = load_weights(
        EsmModel, folder, may_lack=UNUSED_MODULE, add_pooling_layer=False, **settings
    )
    if lacks_unused:
        # else random, and a bundle would not know its backbone again by the hash
        torch.nn.init.zeros_(model.contact_head.regression.weight)
        torch.nn.init.zeros_(model.contact_head.regression.bias)
    return model


def random_esm(config: Any) -> Any:
    """Return an ESM with ESM's own random initialisation."""
    from transformers import EsmModel

    return EsmModel(config, add_pooling_layer=False)


def esm_tokenizer(folder: Path | None) -> Any:
    """Return the tokenizer of a checkpoint, or ESM's alphabet for random weights.

    Raises
    ------
    BackboneError
        If the folder has no alphabet.
    """
    from transformers import EsmTokenizer

    if folder is not None:
        require_one_of(folder, ["vocab.txt"], what="alphabet")
        return EsmTokenizer.from_pretrained(folder)
    with as_file(files("peftide.backbones") / "esm_vocab.txt") as vocabulary:
        return EsmTokenizer(vocab_file=str(vocabulary))


def esm_max_residues(config: Any) -> int | None:
    """Return how many residues the absolute positions hold beside <cls> and <eos>."""
    if config.position_embedding_type == "rotary":
        return None
    return config.max_position_embeddings - config.pad_token_id - 3


def esm_first_position(config: Any) -> int:
    """Return the position of <cls>, as `transformers` counts: absolute ones begin after padding."""
    return 0 if config.position_embedding_type == "rotary" else config.pad_token_id + 1


def encode_esm(model: Any, batch: PackedBatch, layers: int | None) -> Float[Tensor, "1 N D"]:
    """Run an ESM up to a number of layers; `Architecture.encode` has the rules."""
    position_ids = batch.position_ids[None]
    if batch.hidden is None:
        hidden = model.embeddings(input_ids=batch.input_ids[None], position_ids=position_ids)
    else:
        hidden = batch.hidden[None]
    rotary = model.rotary_embeddings
    turns = None if rotary is None else rotary(hidden, position_ids)
    for layer in [*model.encoder.layer][batch.layers_done : layers]:
        hidden = layer(hidden, position_embeddings=turns, sequence_lengths=batch.lengths)
    return hidden if layers is not None else model.encoder.emb_layer_norm_after(hidden)


def prepare_esm(model: Any) -> None:
    """Let an ESM read packed rows, fast."""
    use_packed_attention(model)
    use_few_passes(model)


ESM = Architecture(
    summary="ESM-1b, ESM-1v, ESM-2, SaProt",
    load=load_esm,
    random_model=random_esm,
    masked_language_model=EsmMaskedLM,
    tokenizer=esm_tokenizer,
    encode=encode_esm,
    layer_prefix="encoder.layer",
    attention_modules={
        "query": "attention.self.query",
        "key": "attention.self.key",
        "value": "attention.self.value",
        "output": "attention.output.dense",
    },
    first_position=esm_first_position,
    max_residues=esm_max_residues,
    prepare=prepare_esm,
    output=read_esm_output,
)
