"""Held-out sequences in; the perplexity of a masked language model on them out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from peftide.hardware import Hardware
from peftide.pretraining.corpus import Corpus
from peftide.pretraining.masking import MaskedRows, mask_share
from peftide.pretraining.network import PretrainingModel, as_batch
from peftide.pretraining.sampling import RowLayout, Rows, empty_rows
from peftide.types import FloatArray, IntArray

PASSES = 7
"""Each residue is hidden in one of the passes: a seventh of a sequence at a time."""


@dataclass(frozen=True)
class HeldOut:
    """Held-out sequences, each cropped to one row from its start, and their masks.

    Attributes
    ----------
    sequences
        Their places in the corpus. Shape (P,).
    layout
        Rows of one batch; a row holds one sequence here.
    passes
        Number of the `PASSES` to run; together they score every residue once.
    """

    corpus: Corpus
    sequences: IntArray
    layout: RowLayout
    mask_id: int
    seed: int
    passes: int = PASSES

    def batches(self) -> Iterator[tuple[IntArray, Rows, MaskedRows]]:
        """Yield sequence numbers (from 0) with their rows, masked."""
        count = self.layout.rows
        for start in range(0, len(self.sequences), count):
            numbers = np.arange(start, min(start + count, len(self.sequences)))
            rows = self._rows(numbers)
            turn = np.random.default_rng([self.seed, start]).integers(
                PASSES, size=rows.input_ids.shape
            )
            for number in range(self.passes):
                yield numbers, rows, self._mask(rows, (turn == number) & rows.is_residue)

    def _rows(self, numbers: IntArray) -> Rows:
        layout, vocabulary = self.layout, self.layout.vocabulary
        room = layout.row_tokens - vocabulary.special_tokens
        rows = empty_rows(layout)
        for row, number in enumerate(numbers):
            residues = self.corpus.residues(int(self.sequences[number]))[:room]
            rows.put(row, 0, residues, piece=row, vocabulary=vocabulary)
        return replace(
            rows, sequences=self.sequences[numbers], starts=np.zeros(len(numbers), dtype=np.int64)
        )

    def _mask(self, rows: Rows, hidden: np.ndarray) -> MaskedRows:
        places = np.flatnonzero(hidden)
        shown = np.where(hidden, self.mask_id, rows.input_ids)
        share = mask_share(shown, rows.piece, self.mask_id)
        return MaskedRows(shown, places, rows.input_ids.ravel()[places], share)


@dataclass(frozen=True)
class Surprise:
    """Negative log-likelihoods of the residues of each sequence.

    Attributes
    ----------
    nats
        Sum of −log p of the true residues. Shape (P,).
    residues
        Number of residues scored. Shape (P,).
    """

    nats: FloatArray
    residues: IntArray

    def perplexity(self) -> float:
        """Perplexity over all residues."""
        return float(np.exp(self.nats.sum() / self.residues.sum()))

    def by_sequence(self) -> FloatArray:
        """Perplexity of each sequence. Shape (P,)."""
        return np.exp(self.nats / np.maximum(1, self.residues))

    def mean_over_sequences(self) -> float:
        """Perplexity in which all sequences have the same weight."""
        return float(np.exp(np.mean(self.nats / np.maximum(1, self.residues))))


def model_surprise(model: PretrainingModel, held_out: HeldOut, hardware: Hardware) -> Surprise:
    """Score held-out residues with a masked language model."""
    nats = np.zeros(len(held_out.sequences))
    residues = np.zeros(len(held_out.sequences), dtype=np.int64)
    for numbers, rows, masked in held_out.batches():
        batch = as_batch(rows, masked, np.arange(held_out.layout.rows)).to(hardware.device)
        with torch.inference_mode(), hardware.autocast():
            hidden = model.hidden(batch).flatten(0, 1)[batch.places]
            logits = model.language_model.predict(hidden).float()
            losses = functional.cross_entropy(logits, batch.targets, reduction="none").cpu().numpy()
        owner = masked.places // held_out.layout.row_tokens
        nats[numbers] += np.bincount(owner, weights=losses, minlength=len(numbers))[: len(numbers)]
        residues[numbers] += np.bincount(owner, minlength=len(numbers))[: len(numbers)]
    return Surprise(nats, residues)
