"""Token ids are those of the tokenizer, for every letter; vocabularies of words are refused."""

import string
from pathlib import Path

import pytest
from transformers import BertTokenizer, EsmTokenizer

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


def test_without_x_it_is_read_as_the_unknown_token(tmp_path: Path):
    tokens = ["<cls>", "<pad>", "<eos>", "<unk>", *AMINO_ACIDS, "<mask>"]
    vocabulary = read_vocabulary(tokenizer_of(tmp_path, tokens))
    assert vocabulary.read_as == "<unk>"
    assert vocabulary.unknown_letters == frozenset("BJOUXZ")
    assert vocabulary.letter_ids[ord("X")] == tokens.index("<unk>")
    assert vocabulary.letter_ids[ord("W")] == tokens.index("W")


def test_a_tokenizer_that_merges_residues_is_refused(tmp_path: Path):
    tokens = ["<cls>", "<pad>", "<eos>", "<unk>", *AMINO_ACIDS, "X", "ACD", "<mask>"]
    with pytest.raises(BackboneError, match="several letters, for instance 'ACD'"):
        read_vocabulary(tokenizer_of(tmp_path, tokens))


def bert_tokenizer(tokens: list[str], *, lower: bool = False) -> BertTokenizer:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {token: number for number, token in enumerate([*special, *tokens])}
    return BertTokenizer(vocabulary, do_lower_case=lower)


def test_a_tokenizer_that_gives_other_tokens_than_its_vocabulary_says_is_refused():
    tokenizer = bert_tokenizer([*AMINO_ACIDS, "X"], lower=True)
    with pytest.raises(BackboneError, match="splits the 20 amino acids differently"):
        read_vocabulary(tokenizer)


def test_an_english_vocabulary_is_refused_and_says_which_letters_it_lacks():
    english = ["the", "protein", "##s", *string.ascii_lowercase]
    with pytest.raises(BackboneError, match="no token for A, C, D, .*, W, Y; expected one"):
        read_vocabulary(bert_tokenizer(english, lower=True))


def test_an_english_vocabulary_that_has_all_capital_letters_is_refused_too():
    """Spaced amino acids are 20 tokens of bert-base-cased, and mean nothing to it."""
    english = bert_tokenizer(["the", "##ing", *string.ascii_uppercase])
    assert len(english(" ".join(AMINO_ACIDS))["input_ids"]) == 22
    with pytest.raises(BackboneError, match="tokens of several letters, for instance '##ing'"):
        read_vocabulary(english)


def test_spaced_residues_have_the_ids_of_the_tokenizer():
    tokenizer = bert_tokenizer([*"LAGVESIKRDTPNQFYMHCWXUBZO"])
    vocabulary = read_vocabulary(tokenizer)
    assert vocabulary.encode("MKXW").tolist() == tokenizer("M K X W")["input_ids"]
    assert (vocabulary.prefix, vocabulary.suffix) == ((2,), (3,))


def test_rare_letters_of_a_spaced_vocabulary_are_read_as_x_and_listed():
    """As the model card of ProtBERT tells its users, though the vocabulary has U, Z, O and B."""
    vocabulary = read_vocabulary(bert_tokenizer([*"LAGVESIKRDTPNQFYMHCWXUBZO"]))
    assert vocabulary.encode("UZOB").tolist() == vocabulary.encode("XXXX").tolist()
    assert vocabulary.unknown_letters == set("UZOBJ")


def test_pairs_of_residue_and_structure_are_read_without_structure(tmp_path: Path):
    pairs = [a + s for a in AMINO_ACIDS + "#" for s in "pynwrqhgdlvtmfsaeikc#"]
    tokenizer = tokenizer_of(tmp_path, ["<cls>", "<pad>", "<eos>", "<unk>", "<mask>", *pairs])
    vocabulary = read_vocabulary(tokenizer)
    assert vocabulary.encode("MEX").tolist() == tokenizer("M#E###")["input_ids"]
    assert tokenizer.convert_ids_to_tokens(vocabulary.encode("MEX").tolist()) == [
        *("<cls>", "M#", "E#", "##", "<eos>")
    ]
    assert vocabulary.unknown_letters == set("BJOUZ")
