"""A backbone without layers, attention or `transformers`: what any new kind must be able to be."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence, unpack_sequence

from peftide.backbones import Backbone, Origin
from peftide.packing import PackedBatch, pack
from peftide.tokens import AMINO_ACIDS, Vocabulary


class Recurrent(Backbone):
    """A tiny recurrent network with random weights, always the same ones."""

    def __init__(self) -> None:
        super().__init__()
        letter_ids = np.ones(256, dtype=np.int64)
        letter_ids[[ord(letter) for letter in AMINO_ACIDS]] = np.arange(2, 22)
        self.vocabulary = Vocabulary(letter_ids, (0,), (), frozenset("BJOUXZ"))
        self.origin = Origin("lab/recurrent", "recurrent", None, "0")
        self.width, self.max_residues = 12, None
        with torch.random.fork_rng():
            torch.manual_seed(0)
            modules = {"embedding": nn.Embedding(22, 8), "cells": nn.GRU(8, 12)}
        self.model = nn.ModuleDict(modules).requires_grad_(False).eval()

    def pack(self, sequences: list[str], *, max_length: int | None) -> PackedBatch:
        ids = [self.vocabulary.encode(text, max_length=max_length) for text in sequences]
        return pack(ids, first_position=0, prefix=1, suffix=0)

    def forward(self, batch: PackedBatch) -> Float[Tensor, "N D"]:
        embedded = self.model["embedding"](batch.input_ids).split(batch.lengths)
        states, _ = self.model["cells"](pack_sequence(embedded, enforce_sorted=False))
        return torch.cat(unpack_sequence(states))
