"""BERT-type encoders such as ProtBERT, by `transformers`."""

from pathlib import Path
from typing import Any

from transformers import BertConfig, BertModel, BertTokenizer, PreTrainedTokenizerBase

from peftide.backbones.architecture import Architecture
from peftide.backbones.weights import load_weights
from peftide.errors import BackboneError

ALPHABET = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"LAGVESIKRDTPNQFYMHCWXUBZO")
"""ProtBERT's tokens in their order."""


def load_bert(folder: Path, **settings: Any) -> BertModel:
    """Load a BERT checkpoint without pooler."""
    return load_weights(BertModel, folder, add_pooling_layer=False, **settings)[0]


def random_bert(config: Any) -> BertModel:
    """Return a BERT with BERT's own random initialisation."""
    return BertModel(config, add_pooling_layer=False)


def bert_tokenizer(folder: Path | None) -> PreTrainedTokenizerBase:
    """Return the tokenizer of a checkpoint, or ProtBERT's alphabet for random weights.

    Raises
    ------
    BackboneError
        If the folder has none.
    """
    if folder is None:
        vocabulary = {token: number for number, token in enumerate(ALPHABET)}
        return BertTokenizer(vocabulary, do_lower_case=False)
    if not any((folder / name).is_file() for name in ("tokenizer.json", "vocab.txt")):
        raise BackboneError(
            f"{folder} holds no tokenizer",
            expected="tokenizer.json or vocab.txt",
            where="--backbone",
        )
    # residues are capital letters, also where a checkpoint does not say so
    return BertTokenizer.from_pretrained(folder, do_lower_case=False)


def prot_bert_config(layers: int = 30, width: int = 1024, attention_heads: int = 16) -> BertConfig:
    """Return the configuration of ProtBERT, or of a smaller one (width: D)."""
    return BertConfig(
        vocab_size=len(ALPHABET),
        num_hidden_layers=layers,
        hidden_size=width,
        num_attention_heads=attention_heads,
        intermediate_size=4 * width,
        max_position_embeddings=40_000,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )


BERT = Architecture(
    summary="ProtBERT",
    load=load_bert,
    random_model=random_bert,
    tokenizer=bert_tokenizer,
    layer_prefix="encoder.layer",
    attention_modules={
        "query": "attention.self.query",
        "key": "attention.self.key",
        "value": "attention.self.value",
        "output": "attention.output.dense",
    },
    first_position=lambda _config: 0,
    max_residues=lambda config: config.max_position_embeddings - 2,  # beside [CLS] and [SEP]
    # shape: Elnaggar et al. 2022, doi 10.1109/TPAMI.2021.3095381
    aliases={"prot_bert": ("Rostlab/prot_bert", prot_bert_config)},
)
