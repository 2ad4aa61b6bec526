"""Sequences → token ids, with every id taken from the backbone's own tokenizer."""

import string
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase

from peftide.errors import BackboneError
from peftide.types import IntArray

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"


@dataclass(frozen=True)
class Vocabulary:
    """Token ids of single letters, and what stands before and after a sequence.

    Attributes
    ----------
    letter_ids
        Token id of each byte; letters without a token have the id of `unknown_letter`.
        Shape (256,).
    prefix, suffix
        Ids that the tokenizer puts before and after a sequence (`<cls>` and `<eos>` for ESM).
    unknown_letters
        Capital letters for which the tokenizer has no token.
    """

    letter_ids: IntArray
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    unknown_letters: frozenset[str]

    @property
    def special_tokens(self) -> int:
        """Number of special tokens added to each sequence."""
        return len(self.prefix) + len(self.suffix)

    def encode(self, sequence: str, *, max_length: int | None = None) -> IntArray:
        """Return the token ids of one sequence, cropped to `max_length` residues. Shape (T,)."""
        letters = np.frombuffer(sequence[:max_length].encode("ascii"), dtype=np.uint8)
        return np.concatenate([self.prefix, self.letter_ids[letters], self.suffix]).astype(np.int64)


def read_vocabulary(tokenizer: PreTrainedTokenizerBase) -> Vocabulary:
    """Read the ids of all letters and special tokens off a tokenizer.

    Letters without a token (J in ESM's alphabet) are read as X, the token for any residue.

    Raises
    ------
    BackboneError
        If the tokenizer does not know the 20 amino acids or X, or does not give one token per
        residue.
    """
    known = {letter: _single_id(tokenizer, letter) for letter in string.ascii_uppercase}
    absent = [letter for letter in AMINO_ACIDS + "X" if known[letter] is None]
    if absent:
        raise BackboneError(
            f"the tokenizer has no token for {', '.join(absent)}",
            expected="one token per amino acid and X",
        )
    letter_ids = np.full(256, known["X"], dtype=np.int64)
    for letter, token_id in known.items():
        if token_id is not None:
            letter_ids[ord(letter)] = token_id
    prefix, suffix = _surrounding_ids(tokenizer, letter_ids)
    unknown = frozenset(letter for letter, token_id in known.items() if token_id is None)
    return Vocabulary(letter_ids, prefix, suffix, unknown)


def _single_id(tokenizer: PreTrainedTokenizerBase, letter: str) -> int | None:
    token_id = tokenizer.convert_tokens_to_ids(letter)
    if not isinstance(token_id, int) or token_id == tokenizer.unk_token_id:
        return None
    return token_id


def _surrounding_ids(
    tokenizer: PreTrainedTokenizerBase, letter_ids: IntArray
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Find the special tokens by encoding all amino acids and looking around them."""
    encoded = list(tokenizer(AMINO_ACIDS)["input_ids"])
    residues = [int(letter_ids[ord(letter)]) for letter in AMINO_ACIDS]
    for start in range(len(encoded) - len(residues) + 1):
        end = start + len(residues)
        if encoded[start:end] == residues:
            return tuple(encoded[:start]), tuple(encoded[end:])
    raise BackboneError(
        "the tokenizer splits the 20 amino acids differently", expected="one token per residue"
    )
