"""BERT-type encoders: ProtBERT's published shape, its tokenizer files, its positions."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertForMaskedLM

from peftide.backbones.bert import ALPHABET, bert_tokenizer, load_bert, prot_bert_config
from peftide.backbones.loading import load_backbone
from peftide.errors import BackboneError
from peftide.tokens import read_vocabulary

WEIGHTS = "model.safetensors"


@pytest.fixture
def copied(protbert_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(protbert_folder, tmp_path / "protbert")


def test_protbert_has_the_published_number_of_parameters():
    # Elnaggar et al. 2022, doi 10.1109/TPAMI.2021.3095381, table 2
    with torch.device("meta"):
        model = BertForMaskedLM(prot_bert_config())
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(420e6, rel=0.02)


def test_a_vocab_file_alone_gives_the_same_ids(copied: Path):
    """ProtBERT comes with vocab.txt; letters stay capitals though nothing there says so."""
    for path in copied.glob("tokenizer*"):
        path.unlink()
    (copied / "vocab.txt").write_text("\n".join(ALPHABET))
    found, expected = (read_vocabulary(bert_tokenizer(f)) for f in (copied, None))
    assert found.letter_ids.tolist() == expected.letter_ids.tolist()
    assert (found.prefix, found.suffix) == (expected.prefix, expected.suffix) == ((2,), (3,))


def test_a_folder_without_tokenizer_is_an_error(copied: Path):
    for path in copied.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(BackboneError, match=r"no tokenizer; expected tokenizer\.json or vocab"):
        load_backbone(str(copied))


def test_a_folder_without_weights_is_an_error(copied: Path):
    (copied / WEIGHTS).unlink()
    with pytest.raises(BackboneError, match=r"holds no weights; expected model\.safetensors"):
        load_backbone(str(copied))


def test_a_missing_tensor_is_an_error_not_random_numbers(copied: Path):
    tensors = load_file(copied / WEIGHTS)
    del tensors["bert.encoder.layer.1.attention.self.key.weight"]
    save_file(tensors, copied / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(BackboneError, match=r"lack 1 tensor, .*layer\.1\.attention.*BertModel"):
        load_bert(copied)


def test_there_is_no_pooler(protbert_folder: Path):
    assert load_bert(protbert_folder).pooler is None


def test_the_longest_sequence_fits_and_no_longer_one(tmp_path: Path):
    config = prot_bert_config(1, 16, 2)
    config.max_position_embeddings = 20
    BertForMaskedLM(config).save_pretrained(tmp_path)
    bert_tokenizer(None).save_pretrained(tmp_path)
    backbone = load_backbone(str(tmp_path))
    assert backbone.max_residues == 18
    with torch.no_grad():
        assert backbone(backbone.pack(["A" * 18, "AC"], max_length=None)).isfinite().all()
        with pytest.raises((IndexError, RuntimeError)):
            backbone(backbone.pack(["A" * 19], max_length=None))


def test_an_english_bert_is_refused(tmp_path: Path, copied: Path):
    (copied / "tokenizer.json").unlink()
    (copied / "vocab.txt").write_text("\n".join([*ALPHABET[:5], "the", "##ing", *"abcdefghijkl"]))
    with pytest.raises(BackboneError, match="no token for A, C, D, .* Y; expected one token per"):
        load_backbone(str(copied))
