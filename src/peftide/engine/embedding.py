"""Encode every distinct protein once: sequences in, one row per protein (or residue) out."""

import logging
import time
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from peftide.engine.known_rows import remove_known, taken_rows, write_index
from peftide.engine.side_by_side import side_by_side
from peftide.engine.store import EmbeddingPlan, Progress, open_rows
from peftide.errors import NotFiniteError
from peftide.files import alone_at
from peftide.hardware import Hardware
from peftide.packing import PackedBatch, token_budget_batches
from peftide.progress import meter
from peftide.types import IntArray

logger = logging.getLogger(__name__)

BATCHES_BETWEEN_SAVES = 50
SECONDS_BETWEEN_SAVES = 30


@runtime_checkable
class Encoder(Protocol):
    """An encoder for `embed`: it packs sequences and encodes a packed batch.

    On a CPU, several threads call it at a time.
    """

    @property
    def hardware(self) -> Hardware:
        """Device and precision."""
        ...

    def pack(self, sequences: Sequence[str]) -> PackedBatch:
        """Return the sequences as one packed batch."""
        ...

    def encode(self, batch: PackedBatch) -> Float[Tensor, "R D"]:
        """Return the rows of a packed batch, on any device."""
        ...

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context in which to encode."""
        ...


@dataclass(frozen=True)
class Embeddings:
    """Rows of all proteins, one after the other.

    Attributes
    ----------
    rows
        Rows of protein p are `offsets[p]:offsets[p + 1]`. Shape (R, D).
    offsets
        Shape (P + 1,).
    """

    rows: Float[Tensor, "R D"]
    offsets: IntArray


def embed(
    encoder: Encoder,
    sequences: Sequence[str],
    plan: EmbeddingPlan,
    *,
    store: Path | None = None,
) -> Embeddings:
    """Encode each distinct sequence once, under a token budget.

    Parameters
    ----------
    encoder
        The encoder, which packs and encodes.
    sequences
        P amino-acid sequences.
    plan
        Sizes and key.
    store
        Folder for the rows. If given, the rows are memory-mapped, and a repeated call goes on where
        an interrupted one stopped, or where a killed one saved last. Otherwise the rows are held in
        memory.
    """
    with nullcontext() if store is None else alone_at(store / "lock", wait=True):
        return _embed(encoder, sequences, plan, store=store)


def is_stored(sequences: Sequence[str], plan: EmbeddingPlan, *, store: Path) -> bool:
    """Return whether a folder already holds the rows of all sequences."""
    return Progress(store, plan).sequences_done == len(set(sequences))


def _embed(
    encoder: Encoder, sequences: Sequence[str], plan: EmbeddingPlan, *, store: Path | None
) -> Embeddings:
    offsets = np.concatenate([[0], np.cumsum(plan.rows)])
    rows = open_rows(store, plan, int(offsets[-1]))
    copies = _first_of_equal(sequences)
    firsts = np.unique(copies)
    ordered = firsts[np.argsort(plan.tokens[firsts], kind="stable")]
    known = taken_rows(sequences, plan, firsts=firsts, offsets=offsets, store=store, rows=rows)
    progress = Progress(store, plan)
    ordered = np.concatenate([known, ordered[~np.isin(ordered, known)]])
    # progress counts sequences, so another token budget can resume it
    left = ordered[progress.sequences_done :]
    saver = _Saver(progress, rows, finished=len(ordered) - len(left), total=len(ordered))
    with (
        saver,
        meter(plan.title, total=float(plan.tokens[firsts].sum()), unit="tokens") as done,
        closing(encoded_batches(encoder, sequences, plan, places=left)) as batches,
    ):
        done.begin_at(float(plan.tokens[ordered].sum() - plan.tokens[left].sum()))
        for batch, encoded in batches:
            _scatter(_bits(encoded, plan.row_type), rows, batch=batch, offsets=offsets)
            saver.add(len(batch))
            done.advance(float(plan.tokens[batch].sum()))
    if len(left) or progress.checksum is None:
        _copy_repeats(rows, copies, offsets)
        index = None
        if store is not None and plan.shared:
            index = write_index(store, sequences, firsts=firsts, offsets=offsets)
            remove_known(store)
        progress.finish(len(ordered), rows, index=index)
    return Embeddings(torch.from_numpy(rows).view(plan.row_type), offsets)


def encoded_batches(
    encoder: Encoder, sequences: Sequence[str], plan: EmbeddingPlan, *, places: IntArray
) -> Generator[tuple[IntArray, Float[Tensor, "R D"]], None, None]:
    """Encode sequences in packed batches, the shortest first; yield each batch and its rows.

    Close the generator if you leave it early.

    Parameters
    ----------
    places
        Places of the sequences to encode. Shape (S,).

    Raises
    ------
    NotFiniteError
        If a row is not finite, or too large for its stored type.
    """
    fitting = _FittingEncoder(encoder, plan.max_tokens)

    def encode(batch: IntArray) -> Float[Tensor, "R D"]:
        return fitting.encode([sequences[int(k)] for k in batch], plan.tokens[batch])

    insides = token_budget_batches(plan.tokens[places], plan.max_tokens)
    batches = [places[inside] for inside in insides]
    threads = torch.get_num_threads() if encoder.hardware.device.type == "cpu" else 1
    similar = [batch for batch in batches if plan.tokens[batch].sum() <= plan.max_tokens]
    long = batches[len(similar) :]  # the last ones, a sequence each
    with closing(side_by_side(encode, similar, threads=threads)) as found:
        for batch, encoded in zip(batches, chain(found, map(encode, long)), strict=True):
            _require_finite(encoded, plan, batch)
            yield batch, encoded


class _Saver:
    """Saves the progress now and then, at the end, and when the block is interrupted."""

    def __init__(self, progress: Progress, rows: np.ndarray, *, finished: int, total: int) -> None:
        self.progress, self.rows = progress, rows
        self.finished, self.total = finished, total
        self.batches, self.saved = 0, time.monotonic()

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is KeyboardInterrupt:
            self.progress.save(self.finished, self.rows)

    def add(self, sequences: int) -> None:
        """Count the sequences of a further batch."""
        self.finished += sequences
        self.batches += 1
        is_late = time.monotonic() - self.saved >= SECONDS_BETWEEN_SAVES
        if is_late or self.batches % BATCHES_BETWEEN_SAVES == 0 or self.finished == self.total:
            self.progress.save(self.finished, self.rows)
            self.saved = time.monotonic()


def _require_finite(encoded: Tensor, plan: EmbeddingPlan, batch: IntArray) -> None:
    """Raise if a row of a batch has NaN, infinity, or more than its stored type can hold."""
    largest = torch.finfo(plan.row_type).max
    if float(encoded.abs().max()) <= largest:  # False also for NaN
        return
    wrong = ~(encoded.abs() <= largest).all(dim=1).numpy()
    owner = np.repeat(batch, plan.rows[batch])
    index = int(owner[np.flatnonzero(wrong)[0]])
    raise NotFiniteError(f"the rows of sequence {index} are not finite numbers", index=index)


def _first_of_equal(sequences: Sequence[str]) -> IntArray:
    """Return, for each sequence, the index of the first equal sequence. Shape (P,)."""
    first: dict[str, int] = {}
    return np.array([first.setdefault(text, index) for index, text in enumerate(sequences)])


class _FittingEncoder:
    """Encodes batches; after the first GPU out-of-memory error, it uses smaller batches."""

    def __init__(self, encoder: Encoder, max_tokens: int) -> None:
        self.encoder, self.max_tokens = encoder, max_tokens

    def encode(self, sequences: Sequence[str], tokens: IntArray) -> Tensor:
        """Return the rows of sequences sorted by length, in their order.

        Raises
        ------
        torch.cuda.OutOfMemoryError
            If a single sequence does not fit into memory.
        """
        parts = token_budget_batches(tokens, self.max_tokens)
        try:
            return torch.cat([self._encode([sequences[int(k)] for k in part]) for part in parts])
        except torch.cuda.OutOfMemoryError:
            if len(parts) == len(sequences):
                raise
        self._halve(int(tokens.sum()))
        return self.encode(sequences, tokens)

    def _encode(self, sequences: Sequence[str]) -> Tensor:
        with torch.inference_mode(), self.encoder.autocast():
            return self.encoder.encode(self.encoder.pack(sequences)).float().cpu()

    def _halve(self, tokens: int) -> None:
        smaller = max(1, min(self.max_tokens, tokens) // 2)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        logger.warning(
            "out of GPU memory with a batch of %s tokens: further batches have at most %s tokens "
            "(set --max-tokens to start with this limit)",
            f"{min(self.max_tokens, tokens):,}",
            f"{smaller:,}",
        )
        self.max_tokens = smaller


def _bits(encoded: Tensor, row_type: torch.dtype) -> np.ndarray:
    """Return the numbers in their stored form."""
    rows = encoded.to(row_type)
    return (rows.view(torch.int16) if row_type is torch.bfloat16 else rows).numpy()


def _scatter(encoded: np.ndarray, rows: np.ndarray, *, batch: IntArray, offsets: IntArray) -> None:
    """Write the rows of a batch to the places of its proteins."""
    start = 0
    for index in batch:
        count = offsets[index + 1] - offsets[index]
        rows[offsets[index] : offsets[index + 1]] = encoded[start : start + count]
        start += count


def _copy_repeats(rows: np.ndarray, copies: IntArray, offsets: IntArray) -> None:
    for index in np.flatnonzero(copies != np.arange(len(copies))):
        first = copies[index]
        rows[offsets[index] : offsets[index + 1]] = rows[offsets[first] : offsets[first + 1]]
