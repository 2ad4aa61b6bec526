"""Packed variants → one row per variant: its letters, and how its embeddings differ.

The wild type stands first in a packed batch if embeddings are compared.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from peftide.packing import PackedBatch
from peftide.sequences.mutants import LETTERS
from peftide.tokens import Vocabulary

WINDOW = 8
"""Residues on each side of a substitution that count as its surroundings."""
MEANS = ("changed sites", "surroundings", "whole protein")


def letters_of(sequences: Sequence[str]) -> Int[Tensor, "P L"]:
    """Return the letters of sequences of one length, as indices into `LETTERS`; −1 for others.

    Examples
    --------
    >>> letters_of(["ACX"]).tolist()
    [[0, 1, -1]]
    """
    table = np.full(256, -1, dtype=np.int64)
    table[[ord(letter) for letter in LETTERS]] = np.arange(len(LETTERS))
    codes = np.frombuffer("".join(sequences).encode("ascii"), dtype=np.uint8)
    return torch.from_numpy(table[codes].reshape(len(sequences), -1))


class VariantRows(nn.Module):
    """Letters of each variant, and means of its embedding's difference from the wild type.

    Parameters
    ----------
    wild_type
        Sequence of L residues.
    vocabulary
        Token ids of the backbone.
    width
        Embedding width D to compare; 0 compares no embeddings.
    offset
        Number that is subtracted from positions as written.
    """

    letter_of: Tensor

    def __init__(
        self, wild_type: str, vocabulary: Vocabulary, *, width: int, offset: int = 0
    ) -> None:
        super().__init__()
        self.offset = offset
        self.wild_type, self.embedding_width = wild_type, width
        ids = np.array([vocabulary.letter_ids[ord(letter)] for letter in LETTERS])
        letter_of = torch.full((int(vocabulary.letter_ids.max()) + 1,), -1, dtype=torch.int64)
        letter_of[torch.from_numpy(ids)] = torch.arange(len(LETTERS))
        self.register_buffer("letter_of", letter_of, persistent=False)

    @property
    def compares(self) -> bool:
        """Whether embeddings are compared, so that the backbone must run."""
        return self.embedding_width > 0

    @property
    def width(self) -> int:
        """Number of columns of a row."""
        return len(self.wild_type) + len(MEANS) * self.embedding_width

    def letters(self, batch: PackedBatch) -> Float[Tensor, "P L"]:
        """Return the letters of each sequence, as indices into `LETTERS`; −1 for others."""
        letters = self.letter_of[batch.input_ids[batch.residue_rows]]
        return letters.view(len(batch.lengths), len(self.wild_type)).float()

    def forward(self, tokens: Float[Tensor, "N D"], batch: PackedBatch) -> Float[Tensor, "P F"]:
        """Return the row of each sequence after the first, which is the wild type."""
        letters = self.letters(batch)
        residues = tokens[batch.residue_rows].float()
        residues = residues.view(*letters.shape, self.embedding_width)
        differences = residues[1:] - residues[:1]
        changed = (letters[1:] != letters[:1]).float()
        size = 2 * WINDOW + 1
        around = functional.max_pool1d(changed[:, None], size, stride=1, padding=WINDOW)[:, 0]
        whole = torch.ones_like(changed)
        means = [_mean(differences, weights) for weights in (changed, around - changed, whole)]
        return torch.cat([letters[1:], *means], dim=1)


def _mean(
    differences: Float[Tensor, "P L D"], weights: Float[Tensor, "P L"]
) -> Float[Tensor, "P D"]:
    summed = torch.einsum("pld,pl->pd", differences, weights)
    return summed / weights.sum(dim=1, keepdim=True).clamp(min=1)
