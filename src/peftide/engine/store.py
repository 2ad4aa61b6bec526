"""A folder of the rows of some sequences, with how far it is filled."""

import hashlib
import io
import logging
import math
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from annotated_types import Ge

from peftide.errors import InputError
from peftide.files import remove, reserve_space, storage_errors, write_json
from peftide.saved import read_object
from peftide.types import IntArray

logger = logging.getLogger(__name__)

PROGRESS = "progress.json"
# numpy has no bfloat16, so its bits are stored as integers
STORED_AS = {torch.bfloat16: np.int16, torch.float16: np.float16, torch.float32: np.float32}


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
    shared
        Hash of everything in the key but the sequences: rows of equal sequences are taken from
        other folders of the store with the same hash. Empty: none is taken.
    fingerprint
        The same without the number type of the rows: the fingerprint of a folder of shards.
    title
        Text of the progress bar.
    """

    width: int
    max_tokens: int
    tokens: IntArray
    rows: IntArray
    row_type: torch.dtype
    key: str
    shared: str = ""
    fingerprint: str = ""
    title: str = "encoding the proteins"

    @property
    def stored_bytes(self) -> int:
        """Size of all rows."""
        return int(self.rows.sum()) * self.width * self.row_type.itemsize


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


def open_rows(store: Path | None, plan: EmbeddingPlan, count: int) -> np.ndarray:
    """Return the rows of a folder, new or stored; without one, in memory. Shape (R, D)."""
    shape = (count, plan.width)
    if store is None:
        return np.empty(shape, dtype=STORED_AS[plan.row_type])
    path = store / "rows.npy"
    with storage_errors(path):
        store.mkdir(parents=True, exist_ok=True)
        row_type = STORED_AS[plan.row_type]
        stored = _stored_rows(path, shape, row_type, progress=Progress(store, plan))
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
    path: Path, shape: tuple[int, int], row_type: type, *, progress: "Progress"
) -> np.ndarray | None:
    """Return the stored rows, or None if the store must be filled from the start."""
    if not progress.sequences_done:
        return None
    if not _is_whole(path, shape, row_type):
        logger.warning("%s is incomplete; it is computed again", path)
        return None
    rows = np.lib.format.open_memmap(path, mode="r+")
    if progress.checksum not in (None, checksum_of(rows)):
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


def checksum_of(rows: np.ndarray) -> int:
    """Return a checksum of the bytes of an array."""
    return zlib.crc32(rows.data)


@dataclass(frozen=True)
class _Record:
    """The content of `progress.json`."""

    key: str
    sequences_done: Annotated[int, Ge(0)]
    checksum: int | None
    shared: str = ""
    index: int | None = None


class Progress:
    """The number of distinct sequences that a folder has: those taken from others, then by length.

    When all sequences are stored, it also holds checksums of the rows and of their index.
    """

    def __init__(self, store: Path | None, plan: EmbeddingPlan) -> None:
        self.path = store / PROGRESS if store else None
        self.key, self.shared = plan.key, plan.shared
        record = self._read()
        self.sequences_done: int = record.get("sequences_done", 0)
        self.checksum: int | None = record.get("checksum")
        self.index: int | None = record.get("index")

    def _read(self) -> dict[str, Any]:
        if self.path is None or not self.path.exists():
            return {}
        try:
            record = read_object(self.path, _Record)
        except InputError as error:
            logger.warning("%s; the proteins are encoded again", error)
            return {}
        same = record["key"] == self.key if self.key else record.get("shared") == self.shared
        return record if same else {}

    def finished_rows(self, plan: EmbeddingPlan) -> np.ndarray | None:
        """Return the rows of a finished folder with an index; None if they are damaged."""
        if self.path is None or self.checksum is None or self.index is None:
            return None
        try:
            rows = np.load(self.path.parent / "rows.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        fits = rows.ndim == 2 and rows.shape[1] == plan.width
        fits = fits and rows.dtype == STORED_AS[plan.row_type]
        return rows if fits and checksum_of(rows) == self.checksum else None

    def save(self, sequences_done: int, rows: np.ndarray, **finished: int | None) -> None:
        """Record progress, after the rows have been written to disk."""
        if self.path is None:
            return
        if isinstance(rows, np.memmap):
            rows.flush()
        record = {"key": self.key, "sequences_done": sequences_done, "checksum": None}
        write_json(self.path, record | {"shared": self.shared, "index": None} | finished)

    def finish(self, sequences_done: int, rows: np.ndarray, *, index: int | None) -> None:
        """Record that all rows are stored, with the checksums of rows and index."""
        if self.path is not None:
            self.save(sequences_done, rows, checksum=checksum_of(rows), index=index)
