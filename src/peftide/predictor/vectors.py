"""Vectors of proteins that arrive in blocks: each distinct sequence is encoded once."""

from collections.abc import Sequence

import numpy as np
import torch

from peftide.encoding import ModelEncoder
from peftide.engine.embedding import Embeddings
from peftide.types import IntArray

FIRST_CAPACITY = 1_024


class Vectors:
    """One vector per distinct sequence seen so far.

    This works only for models with one vector per protein. Memory grows with the number of distinct
    sequences, not with the number of rows.
    """

    def __init__(self, encoder: ModelEncoder) -> None:
        self.encoder = encoder
        self.places: dict[str, int] = {}
        self.rows = torch.empty((FIRST_CAPACITY, encoder.model.width))

    def add(self, sequences: Sequence[str]) -> IntArray:
        """Encode the new sequences; return the index of every given sequence. Shape (P,)."""
        new = [text for text in dict.fromkeys(sequences) if text not in self.places]
        if new:
            encoded = self.encoder.embed(new).rows
            first = len(self.places)
            self._make_room(first + len(new))
            self.rows[first : first + len(new)] = encoded
            self.places |= {text: first + number for number, text in enumerate(new)}
        return np.array([self.places[text] for text in sequences], dtype=np.int64)

    def _make_room(self, count: int) -> None:
        if count > len(self.rows):
            larger = torch.empty((max(count, 2 * len(self.rows)), self.rows.shape[1]))
            larger[: len(self.places)] = self.rows[: len(self.places)]
            self.rows = larger

    def embeddings(self) -> Embeddings:
        """Return all vectors, ordered by the indices that `add` returns."""
        return Embeddings(self.rows[: len(self.places)], np.arange(len(self.places) + 1))
