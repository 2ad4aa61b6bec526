"""Searches for similar training sequences that run once: kept in memory and in a folder."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from peftide import auditing
from peftide.baselines import Homologues, find_homologues
from peftide.baselines.homologues import Search
from peftide.baselines.letters import as_bytes, from_bytes
from peftide.files import written_whole
from peftide.similarity import Hits, SimilaritySettings, best_hits

FORMAT_VERSION = 3
NAMES = ("starts", "target", "identity_fraction", "coverage_fraction", "score")
HITS = ("query", "target", "identity_fraction")
HITS += ("query_coverage_fraction", "target_coverage_fraction", "score")
TOOL = "tool"
Found = TypeVar("Found", Homologues, Hits)


def remembered_search(store: Path | None = None, *, threads: int | None = None) -> Search:
    """Return a search for homologues that runs only once for the same sequences.

    Parameters
    ----------
    store
        Folder that keeps the results for later runs; None keeps them in memory only.
    threads
        CPU threads; None takes all cores.
    """
    known: dict[str, Homologues] = {}

    def search(queries: Sequence[str], targets: Sequence[str]) -> Homologues:
        key = _key(queries, targets)
        if key not in known:
            path = None if store is None else store / f"homologues-{key}.safetensors"
            found = None if path is None else read_homologues(path)
            known[key] = found or _kept(
                find_homologues(queries, targets, threads=threads), path, write_homologues
            )
        return known[key]

    return search


def remembered_kinship(store: Path | None = None) -> auditing.Search:
    """Return the search of an audit, which runs only once for the same sequences and settings.

    Parameters
    ----------
    store
        As for `remembered_search`.
    """
    known: dict[str, Hits] = {}

    def search(
        queries: Sequence[str], targets: Sequence[str], settings: SimilaritySettings
    ) -> Hits:
        limits = (settings.identity_fraction, settings.coverage_fraction, settings.max_evalue)
        key = _key(queries, targets, f"{limits} {settings.max_hits} {settings.tool}")
        if key not in known:
            path = None if store is None else store / f"kinship-{key}.safetensors"
            found = None if path is None else read_hits(path)
            if found is None:
                found = _kept(best_hits(queries, targets, settings), path, write_hits)
            known[key] = found
        return known[key]

    return search


def _kept(found: Found, path: Path | None, write: Callable[[Found, Path], None]) -> Found:
    """Write the results of a search, if there is a place for them, and return them."""
    if path is not None:
        write(found, path)
    return found


def _key(queries: Sequence[str], targets: Sequence[str], *more: str) -> str:
    text = "\n".join([str(FORMAT_VERSION), *more, *queries, "", *targets])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def read_homologues(path: Path) -> Homologues | None:
    """Return the stored homologues; None if the file is missing or cannot be read."""
    try:
        arrays = load_file(path)
        return Homologues(*(arrays[name] for name in NAMES))
    except (OSError, SafetensorError, KeyError):
        return None


def write_homologues(found: Homologues, path: Path) -> None:
    """Write the homologues atomically.

    Raises
    ------
    StorageError
        If the disk is full or the folder cannot be written.
    """
    _write({name: getattr(found, name) for name in NAMES}, path)


def read_hits(path: Path) -> Hits | None:
    """Return the stored similar proteins; None if the file is missing or cannot be read."""
    try:
        arrays = load_file(path)
        return Hits(*(arrays[name] for name in HITS), tool=from_bytes(arrays[TOOL]))
    except (OSError, SafetensorError, KeyError):
        return None


def write_hits(found: Hits, path: Path) -> None:
    """Write similar proteins atomically.

    Raises
    ------
    StorageError
        If the disk is full or the folder cannot be written.
    """
    _write({name: getattr(found, name) for name in HITS} | {TOOL: as_bytes(found.tool)}, path)


def _write(arrays: dict[str, np.ndarray], path: Path) -> None:
    with written_whole(path, tidy=True) as partial:
        save_file({name: np.ascontiguousarray(each) for name, each in arrays.items()}, partial)
