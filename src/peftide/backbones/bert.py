"""BERT-type encoders such as ProtBERT, by `transformers`."""

from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from peftide.backbones.architecture import Architecture
from peftide.backbones.checkpoint_files import require_one_of
from peftide.backbones.weights import load_weights
from peftide.packing import PackedBatch

ALPHABET = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"LAGVESIKRDTPNQFYMHCWXUBZO")
"""ProtBERT's tokens in their order."""


def load_bert(folder: Path, **settings: Any) -> Any:
    """Load a BERT checkpoint without pooler."""
    from transformers import BertModel

    return load_weights(BertModel, folder, add_pooling_layer=False, **settings)[0]


def random_bert(config: Any) -> Any:
    """Return a BERT with BERT's own random initialisation."""
    from transformers import BertModel

    return BertModel(config, add_pooling_layer=False)


def bert_tokenizer(folder: Path | None) -> Any:
    """Return the tokenizer of a checkpoint, or ProtBERT's alphabet for random weights.

    Raises
    ------
    BackboneError
        If the folder has none.
    """
    from transformers import BertTokenizer

    if folder is None:
        vocabulary = {token: number for number, token in enumerate(ALPHABET)}
        return BertTokenizer(vocabulary, do_lower_case=False)
    require_one_of(folder, ["tokenizer.json", "vocab.txt"], what="tokenizer")
    # residues are capital letters, even if a checkpoint does not say so
    return BertTokenizer.from_pretrained(folder, do_lower_case=False)


def prot_bert_config(layers: int = 30, width: int = 1024, attention_heads: int = 16) -> Any:
    """Return the configuration of ProtBERT, or of a smaller one (width: D)."""
    from transformers import BertConfig

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


def encode_bert(model: Any, batch: PackedBatch, layers: int | None) -> Float[Tensor, "1 N D"]:
    """Run a BERT up to a number of layers; `Architecture.encode` has the rules."""
    if batch.hidden is None:
        hidden = model.embeddings(batch.input_ids[None], position_ids=batch.position_ids[None])
    else:
        hidden = batch.hidden[None]
    for layer in [*model.encoder.layer][batch.layers_done : layers]:
        hidden = layer(hidden, None, sequence_lengths=batch.lengths)
    return hidden


BERT = Architecture(
    summary="ProtBERT",
    load=load_bert,
    random_model=random_bert,
    tokenizer=bert_tokenizer,
    encode=encode_bert,
    layer_prefix="encoder.layer",
    attention_modules={
        "query": "attention.self.query",
        "key": "attention.self.key",
        "value": "attention.self.value",
        "output": "attention.output.dense",
    },
    first_position=lambda _config: 0,
    max_residues=lambda config: config.max_position_embeddings - 2,  # beside [CLS] and [SEP]
)
