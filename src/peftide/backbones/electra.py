"""ELECTRA-type encoders such as ProtElectra, by `transformers`: BERT's layers and tokenizer."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from peftide.backbones.bert import ALPHABET, BERT, encode_bert
from peftide.backbones.weights import load_weights
from peftide.packing import PackedBatch


def load_electra(folder: Path, **settings: Any) -> Any:
    """Load the encoder of an ELECTRA checkpoint."""
    from transformers import ElectraModel

    return load_weights(ElectraModel, folder, **settings)[0]


def random_electra(config: Any) -> Any:
    """Return an ELECTRA with its own random initialisation."""
    from transformers import ElectraModel

    return ElectraModel(config)


def prot_electra_config(layers: int = 30, width: int = 1024, attention_heads: int = 16) -> Any:
    """Return the configuration of ProtElectra's discriminator, or of a smaller one (width: D)."""
    from transformers import ElectraConfig

    return ElectraConfig(
        vocab_size=len(ALPHABET),
        num_hidden_layers=layers,
        hidden_size=width,
        embedding_size=width,
        num_attention_heads=attention_heads,
        intermediate_size=4 * width,
        max_position_embeddings=40_000,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )


def encode_electra(model: Any, batch: PackedBatch, layers: int | None) -> Float[Tensor, "1 N D"]:
    """Run an ELECTRA up to a number of layers; its embeddings may be narrower than its layers."""
    if batch.hidden is None and model.config.embedding_size != model.config.hidden_size:
        narrow = model.embeddings(batch.input_ids[None], position_ids=batch.position_ids[None])
        batch = replace(batch, hidden=model.embeddings_project(narrow)[0])
    return encode_bert(model, batch, layers)


ELECTRA = replace(
    BERT,
    summary="ProtElectra",
    load=load_electra,
    random_model=random_electra,
    encode=encode_electra,
)
