"""Rows of the same model in other folders of a store → a new folder, so that none is made twice.

A store has one folder for each list of sequences. A finished folder has an index: the hash of each
distinct sequence, with the place and the number of its rows. A store may also hold folders of
shards, as `peftide embed` writes them.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from peftide.engine.store import PROGRESS, EmbeddingPlan, Progress, checksum_of
from peftide.files import written_whole
from peftide.quantities import count_of
from peftide.shards.folder import RECORD, open_folder
from peftide.shards.sorting import digest
from peftide.types import FloatArray, IntArray

logger = logging.getLogger(__name__)

INDEX, KNOWN = "sequences.npy", "known.npy"


def write_index(
    folder: Path, sequences: Sequence[str], *, firsts: IntArray, offsets: IntArray
) -> int:
    """Write the index of a folder; return its checksum.

    Parameters
    ----------
    firsts
        Places of the distinct sequences. Shape (F,).
    offsets
        Rows of sequence p are `offsets[p]:offsets[p + 1]`. Shape (P + 1,).
    """
    lines = [
        (*_hash(sequences[int(k)]), offsets[k], offsets[k + 1] - offsets[k])
        for k in firsts.tolist()
    ]
    index = np.array(lines, dtype=np.int64).reshape(-1, 4)
    _write(folder / INDEX, index)
    return checksum_of(index)


def taken_rows(
    sequences: Sequence[str],
    plan: EmbeddingPlan,
    *,
    firsts: IntArray,
    offsets: IntArray,
    store: Path | None,
    rows: np.ndarray,
) -> IntArray:
    """Copy the rows that other folders of the store have; return the places of their sequences.

    A folder that has begun keeps to what it took then.

    Parameters
    ----------
    firsts, offsets
        As in `write_index`.
    rows
        Rows of all sequences, to be filled. Shape (R, D).
    """
    if store is None or not plan.shared:
        return np.empty(0, dtype=np.int64)
    progress = Progress(store, plan)
    if progress.sequences_done:
        return _read_known(store)
    wanted = {_hash(sequences[int(place)]): int(place) for place in firsts}
    for place, vectors in _from_folders(store, plan, wanted):
        rows[offsets[place] : offsets[place + 1]] = vectors
    left = [*wanted.values()]
    for place, vectors in _from_shards(store.parent, sequences, plan, places=left):
        rows[offsets[place] : offsets[place + 1]] = vectors
        del wanted[_hash(sequences[place])]
    found = np.setdiff1d(firsts, np.array(list(wanted.values()), dtype=np.int64))
    if len(found):
        logger.info(
            "%s of %s were encoded before: their vectors are in %s",
            f"{len(found):,}",
            count_of(len(firsts), "protein"),
            store.parent,
        )
        _write(store / KNOWN, found)
        progress.save(len(found), rows)
    return found


def _from_folders(
    store: Path, plan: EmbeddingPlan, wanted: dict[tuple[int, int], int]
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield place and rows of the sequences that other folders have; they are no longer wanted."""
    for folder in sorted(path.parent for path in store.parent.glob(f"*/{PROGRESS}")):
        other = Progress(folder, replace(plan, key=""))
        index = {} if folder == store else dict(_index(folder, checksum=other.index))
        shared = wanted.keys() & index.keys()
        # all rows are read to check them, so only if some are needed
        stored = other.finished_rows(plan) if shared else None
        if stored is None:
            continue
        for code in shared:
            place, part = wanted[code], index[code]
            if part.stop - part.start == plan.rows[place]:
                yield place, stored[part]
                del wanted[code]


def _from_shards(
    cache: Path, sequences: Sequence[str], plan: EmbeddingPlan, *, places: Sequence[int]
) -> Iterator[tuple[int, FloatArray]]:
    """Yield place and rows of the sequences that a folder of shards in a cache has."""
    wanted = {digest(sequences[place]): place for place in places}
    for path in sorted(cache.glob(f"*/{RECORD}")):
        folder = open_folder(path.parent)
        form, fits = folder.record.form, folder.record.model.fingerprint == plan.fingerprint
        if not fits or form.width != plan.width or plan.row_type is torch.bfloat16:
            continue
        taken = 0
        for code, vectors in folder.vectors_of(wanted.keys()):
            if code in wanted and len(vectors) == plan.rows[wanted[code]]:
                yield wanted.pop(code), vectors
                taken += 1
        if taken and form.number_type == "float16" and plan.row_type is torch.float32:
            logger.info("note: vectors of %s are in half precision", path.parent)


def _index(folder: Path, *, checksum: int | None) -> Iterator[tuple[tuple[int, int], slice]]:
    """Yield the hash of each sequence of a folder, and its rows; a damaged index yields nothing."""
    index = None if checksum is None else _read(folder / INDEX)
    if index is None or index.ndim != 2 or checksum_of(index) != checksum:
        return
    for first, second, start, count in index.tolist():
        yield (first, second), slice(start, start + count)


def _read_known(folder: Path) -> IntArray:
    found = _read(folder / KNOWN)
    return np.empty(0, dtype=np.int64) if found is None else found


def remove_known(folder: Path) -> None:
    """Remove the note when the folder is complete."""
    (folder / KNOWN).unlink(missing_ok=True)


def _hash(sequence: str) -> tuple[int, int]:
    digest = hashlib.sha256(sequence.encode()).digest()
    first, second = np.frombuffer(digest[:16], dtype="<i8").tolist()
    return first, second


def _write(path: Path, array: IntArray) -> None:
    with written_whole(path) as partial, partial.open("wb") as stream:
        np.save(stream, array, allow_pickle=False)


def _read(path: Path) -> IntArray | None:
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.dtype == np.int64 else None
