"""ELECTRA-type encoders such as ProtElectra, by `transformers`: BERT's layers and tokenizer."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from transformers import ElectraConfig, ElectraModel

from peftide.backbones.bert import ALPHABET, BERT
from peftide.backbones.weights import load_weights


def load_electra(folder: Path, **settings: Any) -> ElectraModel:
    """Load the encoder of an ELECTRA checkpoint."""
    return load_weights(ElectraModel, folder, **settings)[0]


def random_electra(config: Any) -> ElectraModel:
    """Return an ELECTRA with its own random initialisation."""
    return ElectraModel(config)


def prot_electra_config(
    layers: int = 30, width: int = 1024, attention_heads: int = 16
) -> ElectraConfig:
    """Return the configuration of ProtElectra's discriminator, or of a smaller one (width: D)."""
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


ELECTRA = replace(
    BERT,
    summary="ProtElectra",
    load=load_electra,
    random_model=random_electra,
    aliases={
        "prot_electra": ("Rostlab/prot_electra_discriminator_bfd", prot_electra_config),
    },
)
