"""A search for homologues that runs once: results are kept in memory and in a folder."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from peftide.baselines import Homologues, find_homologues
from peftide.baselines.homologues import Search
from peftide.files import written_whole

FORMAT_VERSION = 2
NAMES = ("starts", "target", "identity_fraction", "coverage_fraction", "score")


def remembered_search(store: Path | None = None, *, threads: int | None = None) -> Search:
    """Return a search that runs only once for the same sequences.

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
            if found is None:
                found = find_homologues(queries, targets, threads=threads)
                if path is not None:
                    write_homologues(found, path)
            known[key] = found
        return known[key]

    return search


def _key(queries: Sequence[str], targets: Sequence[str]) -> str:
    text = "\n".join([str(FORMAT_VERSION), *queries, "", *targets])
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
    with written_whole(path, tidy=True) as partial:
        save_file({name: np.ascontiguousarray(getattr(found, name)) for name in NAMES}, partial)
