"""Sequences → token ids. Every id comes from the tokenizer of the backbone.

The tokenizers come from `transformers`, which this module does not import, to save seconds.
"""

import string
from dataclasses import dataclass
from typing import Any

import numpy as np

from peftide.errors import BackboneError
from peftide.types import IntArray

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"


@dataclass(frozen=True)
class Spelling:
    """A spelling of residues in vocabularies, and of sequences for their tokenizers.

    Attributes
    ----------
    token
        Token of a residue, with `{}` for its letter.
    any_residue
        The token of X.
    between
        Text between two residues.
    read_as_x
        Letters that are written as X even if they have tokens.
    """

    token: str
    any_residue: str
    between: str = ""
    read_as_x: str = ""

    def tokens(self) -> dict[str, str]:
        """Return the token of each capital letter that is not read as X."""
        letters = [letter for letter in string.ascii_uppercase if letter not in self.read_as_x]
        return {letter: self.token.format(letter) for letter in letters} | {"X": self.any_residue}

    def text(self, sequence: str) -> str:
        """Return the text that the tokenizer expects for a sequence of amino acids."""
        return self.between.join(self.token.format(letter) for letter in sequence).replace("▁", "")


SPELLINGS = (
    Spelling("{}", "X"),  # ESM, Ankh
    Spelling("{}#", "##"),  # SaProt: a residue and its structure, here unknown
    # ProtTrans: ProtBERT, and ProtT5 through sentencepiece, which marks the start of a word.
    # doi 10.1109/TPAMI.2021.3095381: the rare and ambiguous letters were trained as X
    Spelling("{}", "X", between=" ", read_as_x="UZOB"),
    Spelling("▁{}", "▁X", between=" ", read_as_x="UZOB"),
)


@dataclass(frozen=True)
class Vocabulary:
    """Token ids of single letters, and the special tokens around a sequence.

    Attributes
    ----------
    letter_ids
        Token id of each byte; letters without a token have the id of `unknown_letter`.
        Shape (256,).
    prefix, suffix
        Ids that the tokenizer puts before and after a sequence (`<cls>` and `<eos>` for ESM).
    unknown_letters
        Capital letters that are read as `read_as`, mostly letters without a token.
    read_as
        X, the token for any residue; or the unknown token if the tokenizer has no X.
    """

    letter_ids: IntArray
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    unknown_letters: frozenset[str]
    read_as: str = "X"

    @property
    def special_tokens(self) -> int:
        """Number of special tokens added to each sequence."""
        return len(self.prefix) + len(self.suffix)

    def encode(self, sequence: str, *, max_length: int | None = None) -> IntArray:
        """Return the token ids of one sequence, cropped to `max_length` residues. Shape (T,)."""
        letters = np.frombuffer(sequence[:max_length].encode("ascii"), dtype=np.uint8)
        return np.concatenate([self.prefix, self.letter_ids[letters], self.suffix]).astype(np.int64)


def read_vocabulary(tokenizer: Any) -> Vocabulary:
    """Read the ids of all letters and special tokens from a tokenizer.

    Letters without a token (J in ESM's alphabet) are read as X, the token for any residue. If the
    tokenizer has no X, they and X are read as its unknown token.

    Raises
    ------
    BackboneError
        If the tokenizer does not know the 20 amino acids, has neither X nor an unknown token, or
        does not give one token per residue.
    """
    known = [_known_letters(tokenizer, spelling) for spelling in SPELLINGS]
    _require_amino_acids(max(known, key=len), has_unknown=tokenizer.unk_token_id is not None)
    _require_letters_alone(tokenizer)
    for letters, spelling in zip(known, SPELLINGS, strict=True):
        around = _surrounding_ids(tokenizer, letters, spelling)
        if around is not None:
            return _vocabulary(letters, *around, tokenizer=tokenizer)
    raise BackboneError(
        "the tokenizer splits the 20 amino acids differently", expected="one token per residue"
    )


def _known_letters(tokenizer: Any, spelling: Spelling) -> dict[str, int]:
    """Return the token id of each letter that has one."""
    ids: dict[str, Any] = {
        letter: tokenizer.convert_tokens_to_ids(token)
        for letter, token in spelling.tokens().items()
    }
    return {k: v for k, v in ids.items() if v is not None and v != tokenizer.unk_token_id}


def _require_amino_acids(known: dict[str, int], *, has_unknown: bool) -> None:
    needed = AMINO_ACIDS if has_unknown else AMINO_ACIDS + "X"
    absent = [letter for letter in needed if letter not in known]
    if absent:
        raise BackboneError(
            f"the tokenizer has no token for {', '.join(absent)}",
            expected="one token per amino acid, and X or an unknown token",
            where="--backbone",
            fix="Choose a protein language model; models of text or DNA do not know proteins",
        )


def _require_letters_alone(tokenizer: Any) -> None:
    """Refuse a vocabulary of words or of merged residues, because peftide would never use them."""
    special = set(tokenizer.all_special_tokens)
    words = [token for token in tokenizer.get_vocab() if token not in special and _is_word(token)]
    if words:
        raise BackboneError(
            f"the tokenizer has tokens of several letters, for instance {min(words)!r}",
            expected="one token per residue: a protein language model",
            where="--backbone",
        )


def _is_word(token: str) -> bool:
    """Return whether a token holds letters of several residues (SaProt's `Ap` is one residue)."""
    letters = token.strip("▁#")
    return letters.isalpha() and (len(letters) > 2 or (len(letters) == 2 and letters.isupper()))


def _surrounding_ids(
    tokenizer: Any, known: dict[str, int], spelling: Spelling
) -> tuple[list[int], list[int]] | None:
    """Encode all amino acids and return the ids before and after them, or None without them."""
    encoded = list(tokenizer(spelling.text(AMINO_ACIDS))["input_ids"])
    residues = [known.get(letter) for letter in AMINO_ACIDS]
    for start in range(len(encoded) - len(residues) + 1):
        end = start + len(residues)
        if encoded[start:end] == residues:
            return encoded[:start], encoded[end:]
    return None


def _vocabulary(
    known: dict[str, int], prefix: list[int], suffix: list[int], *, tokenizer: Any
) -> Vocabulary:
    read_as = "X" if "X" in known else str(tokenizer.unk_token)
    letter_ids = np.full(256, known.get("X", tokenizer.unk_token_id), dtype=np.int64)
    for letter, token_id in known.items():
        letter_ids[ord(letter)] = token_id
    unknown = frozenset(set(string.ascii_uppercase) - known.keys())
    return Vocabulary(letter_ids, tuple(prefix), tuple(suffix), unknown, read_as)
