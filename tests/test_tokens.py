"""Token ids are those of the tokenizer, for every letter."""

import string
from pathlib import Path

import pytest
from transformers import EsmTokenizer

from peftide.backbones.esm import esm_tokenizer
from peftide.errors import BackboneError
from peftide.tokens import AMINO_ACIDS, Vocabulary, read_vocabulary

LETTERS_OF_ESM = string.ascii_uppercase.replace("J", "")


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return read_vocabulary(esm_tokenizer(None))


def tokenizer_of(folder: Path, tokens: list[str]) -> EsmTokenizer:
    path = folder / "vocab.txt"
    path.write_text("\n".join(tokens))
    return EsmTokenizer(vocab_file=str(path))


def test_ids_are_those_of_the_tokenizer(vocabulary: Vocabulary):
    tokenizer = esm_tokenizer(None)
    for sequence in [LETTERS_OF_ESM, LETTERS_OF_ESM[::-1], "M", "AAAAAAA", "XBZUO"]:
        assert vocabulary.encode(sequence).tolist() == tokenizer(sequence)["input_ids"]


def test_ids_are_those_published_for_esm(vocabulary: Vocabulary):
    # github.com/facebookresearch/esm, constants.py and data.py: <cls> 0, <eos> 2, L 4, A 5, G 6
    assert vocabulary.encode("LAG").tolist() == [0, 4, 5, 6, 2]
    assert vocabulary.special_tokens == 2


def test_a_letter_without_token_is_read_as_x_and_listed(vocabulary: Vocabulary):
    assert vocabulary.unknown_letters == {"J"}
    assert vocabulary.encode("MJK").tolist() == vocabulary.encode("MXK").tolist()


def test_crop_keeps_the_first_residues_and_both_special_tokens(vocabulary: Vocabulary):
    cropped = vocabulary.encode("MKVLLA", max_length=3)
    assert cropped.tolist() == vocabulary.encode("MKV").tolist()
    assert vocabulary.encode("MK", max_length=3).tolist() == vocabulary.encode("MK").tolist()


def test_a_tokenizer_without_an_amino_acid_is_refused(tmp_path: Path):
    tokens = ["<cls>", "<pad>", "<eos>", "<unk>", *AMINO_ACIDS.replace("W", ""), "X", "<mask>"]
    with pytest.raises(BackboneError, match="no token for W; expected one token per amino acid"):
        read_vocabulary(tokenizer_of(tmp_path, tokens))


def test_a_tokenizer_without_x_is_refused(tmp_path: Path):
    tokens = ["<cls>", "<pad>", "<eos>", "<unk>", *AMINO_ACIDS, "<mask>"]
    with pytest.raises(BackboneError, match="no token for X"):
        read_vocabulary(tokenizer_of(tmp_path, tokens))


def test_a_tokenizer_that_merges_residues_is_refused(tmp_path: Path):
    tokens = ["<cls>", "<pad>", "<eos>", "<unk>", *AMINO_ACIDS, "X", "ACD", "<mask>"]
    with pytest.raises(BackboneError, match="splits the 20 amino acids differently"):
        read_vocabulary(tokenizer_of(tmp_path, tokens))
