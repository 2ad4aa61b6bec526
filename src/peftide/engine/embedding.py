"""Encode every distinct protein once: sequences in, one row per protein (or residue) out."""

import hashlib
import io
import logging
import math
import time
import zlib
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol, runtime_checkable

import numpy as np
import torch
from annotated_types import Ge
from jaxtyping import Float
from torch import Tensor

from peftide.errors import InputError, NotFiniteError
from peftide.files import alone_at, remove, reserve_space, storage_errors, write_json
from peftide.packing import PackedBatch, token_budget_batches
from peftide.progress import meter
from peftide.saved import read_object
from peftide.types import IntArray

logger = logging.getLogger(__name__)

BATCHES_BETWEEN_SAVES = 50
SECONDS_BETWEEN_SAVES = 30
PROGRESS = "progress.json"
# numpy has no bfloat16, so its bits are stored as integers
STORED_AS = {torch.bfloat16: np.int16, torch.float16: np.float16, torch.float32: np.float32}


@runtime_checkable
class Encoder(Protocol):
    """An encoder for `embed`: it packs sequences and encodes a packed batch."""

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
class EmbeddingPlan:
    """The number of rows and tokens of each sequence, and settings of the embedding.

    Attributes
    ----------
    width
        D.
    max_tokens
        Token budget of a packed batch.
    tokens
        Number of tokens of each sequence. Shape (P,).
    rows
        Number of rows of each sequence: 1, or its number of residues. Shape (P,).
    row_type
        Number type of the stored rows.
    key
        Hash of everything that determines the rows; stored rows with another key are not reused.
        The key excludes the token budget, which changes at most the last digit.
    title
        Text of the progress bar.
    """

    width: int
    max_tokens: int
    tokens: IntArray
    rows: IntArray
    row_type: torch.dtype
    key: str
    title: str = "embedding"

    @property
    def stored_bytes(self) -> int:
        """Size of all rows."""
        return int(self.rows.sum()) * self.width * self.row_type.itemsize


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
        Folder for the rows. If given, the rows are memory-mapped, and a repeated call resumes from
        the last save of an interrupted one. Otherwise the rows are held in memory.
    """
    with nullcontext() if store is None else alone_at(store / "lock", wait=True):
        return _embed(encoder, sequences, plan, store=store)


def is_stored(sequences: Sequence[str], plan: EmbeddingPlan, *, store: Path) -> bool:
    """Return whether a folder already holds the rows of all sequences."""
    return _Progress(store, plan.key).sequences_done == len(set(sequences))


def _embed(
    encoder: Encoder, sequences: Sequence[str], plan: EmbeddingPlan, *, store: Path | None
) -> Embeddings:
    offsets = np.concatenate([[0], np.cumsum(plan.rows)])
    rows = _open_rows(store, plan, int(offsets[-1]))
    copies = _first_of_equal(sequences)
    firsts = np.unique(copies)
    ordered = firsts[np.argsort(plan.tokens[firsts], kind="stable")]
    progress = _Progress(store, plan.key)
    # progress counts sequences, so another token budget can resume it
    left = ordered[progress.sequences_done :]
    batches = [left[batch] for batch in token_budget_batches(plan.tokens[left], plan.max_tokens)]
    ends = len(ordered) - len(left) + np.cumsum([len(batch) for batch in batches])
    fitting, saved = _FittingEncoder(encoder, plan.max_tokens), time.monotonic()
    with meter(plan.title, total=float(plan.tokens[firsts].sum()), unit="tokens") as done:
        done.advance(float(plan.tokens[ordered].sum() - plan.tokens[left].sum()))
        for number, batch in enumerate(batches, start=1):
            encoded = fitting.encode([sequences[int(k)] for k in batch], plan.tokens[batch])
            _require_finite(encoded, plan, batch)
            _scatter(_bits(encoded, plan.row_type), rows, batch=batch, offsets=offsets)
            is_late = time.monotonic() - saved >= SECONDS_BETWEEN_SAVES
            if is_late or number % BATCHES_BETWEEN_SAVES == 0 or number == len(batches):
                progress.save(int(ends[number - 1]), rows)
                saved = time.monotonic()
            done.advance(float(plan.tokens[batch].sum()))
    if batches or progress.checksum is None:
        _copy_repeats(rows, copies, offsets)
        progress.finish(len(ordered), rows)
    return Embeddings(torch.from_numpy(rows).view(plan.row_type), offsets)


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


def _open_rows(store: Path | None, plan: EmbeddingPlan, count: int) -> np.ndarray:
    shape = (count, plan.width)
    if store is None:
        return np.empty(shape, dtype=STORED_AS[plan.row_type])
    path = store / "rows.npy"
    with storage_errors(path):
        store.mkdir(parents=True, exist_ok=True)
        row_type = STORED_AS[plan.row_type]
        stored = _stored_rows(path, shape, row_type, progress=_Progress(store, plan.key))
        if stored is not None:
            return stored
        remove(store / PROGRESS)
        rows = np.lib.format.open_memmap(path, mode="w+", dtype=row_type, shape=shape)
        try:
            reserve_space(path)
        except OSError:
            remove(store)
            with suppress(OSError):  # where it stood, if nothing else is there
                store.parent.rmdir()
            raise
        return rows


def _stored_rows(
    path: Path, shape: tuple[int, int], row_type: type, *, progress: "_Progress"
) -> np.ndarray | None:
    """Return the stored rows, or None if the store must be filled from the start."""
    if not progress.sequences_done:
        return None
    if not _is_whole(path, shape, row_type):
        logger.warning("%s is incomplete; it is computed again", path)
        return None
    rows = np.lib.format.open_memmap(path, mode="r+")
    if progress.checksum not in (None, _checksum(rows)):
        logger.warning("%s has changed since it was written; it is computed again", path)
        return None
    return rows


def _is_whole(path: Path, shape: tuple[int, int], row_type: type) -> bool:
    """Return whether the file has the header and the size of these rows.

    A truncated file would be padded with zeros; a header of another type would give other numbers.
    """
    header = io.BytesIO()
    form = {"descr": np.dtype(row_type).str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, form)
    size = header.tell() + math.prod(shape) * np.dtype(row_type).itemsize
    try:
        with path.open("rb") as stream:
            starts = stream.read(header.tell())
        return starts == header.getvalue() and path.stat().st_size == size
    except OSError:
        return False


def _checksum(rows: np.ndarray) -> int:
    return zlib.crc32(rows.data)


@dataclass(frozen=True)
class _Record:
    """The content of `progress.json`."""

    key: str
    sequences_done: Annotated[int, Ge(0)]
    checksum: int | None


class _Progress:
    """The number of distinct sequences, the shortest first, in a stored embedding.

    When all sequences are stored, it also holds a checksum of the rows.
    """

    def __init__(self, store: Path | None, key: str) -> None:
        self.path = store / PROGRESS if store else None
        self.key = key
        record = self._read()
        self.sequences_done: int = record.get("sequences_done", 0)
        self.checksum: int | None = record.get("checksum")

    def _read(self) -> dict[str, Any]:
        if self.path is None or not self.path.exists():
            return {}
        try:
            record = read_object(self.path, _Record)
        except InputError as error:
            logger.warning("%s; the proteins are encoded again", error)
            return {}
        return record if record["key"] == self.key else {}

    def save(self, sequences_done: int, rows: np.ndarray, *, checksum: int | None = None) -> None:
        """Record progress, after the rows have been written to disk."""
        if self.path is None:
            return
        if isinstance(rows, np.memmap):
            rows.flush()
        record = {"key": self.key, "sequences_done": sequences_done, "checksum": checksum}
        write_json(self.path, record)

    def finish(self, sequences_done: int, rows: np.ndarray) -> None:
        """Record that all rows are stored, with their checksum."""
        if self.path is not None:
            self.save(sequences_done, rows, checksum=_checksum(rows))


def embedding_key(sequences: Sequence[str], *settings: object) -> str:
    """Return a hash of sequences and settings, in order.

    Examples
    --------
    >>> embedding_key(["MK"], "mean") == embedding_key(["MK"], "mean")
    True
    >>> embedding_key(["MK"], "mean") == embedding_key(["MK"], "cls")
    False
    """
    digest = hashlib.sha256(repr(settings).encode())
    for sequence in sequences:
        digest.update(sequence.encode() + b"\n")
    return digest.hexdigest()
