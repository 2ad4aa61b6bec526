"""Searches for similar training sequences that run once: kept in memory and in a folder."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

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


@dataclass(frozen=True)
class Form(Generic[Found]):
    """How the results of a search are stored.

    Attributes
    ----------
    prefix
        Beginning of the name of a file.
    arrays
        Results → arrays by name.
    found
        Arrays by name → results; KeyError if one is missing.
    """

    prefix: str
    arrays: Callable[[Found], Mapping[str, np.ndarray]]
    found: Callable[[Mapping[str, np.ndarray]], Found]


HOMOLOGUES = Form[Homologues](
    "homologues",
    lambda found: {name: getattr(found, name) for name in NAMES},
    lambda arrays: Homologues(*(arrays[name] for name in NAMES)),
)
KINSHIP = Form[Hits](
    "kinship",
    lambda found: {name: getattr(found, name) for name in HITS} | {TOOL: as_bytes(found.tool)},
    lambda arrays: Hits(*(arrays[name] for name in HITS), tool=from_bytes(arrays[TOOL])),
)


@dataclass(frozen=True)
class Searches:
    """The searches of a training.

    Attributes
    ----------
    homologues
        That of the baselines.
    kinship
        That of the audit.
    """

    homologues: Search
    kinship: auditing.Search


def remembered_searches(store: Path | None = None, *, threads: int | None = None) -> Searches:
    """Return searches that run only once for the same sequences; see `remembered_search`."""
    return Searches(remembered_search(store, threads=threads), remembered_kinship(store))


def remembered_search(store: Path | None = None, *, threads: int | None = None) -> Search:
    """Return a search for homologues that runs only once for the same sequences.

    Parameters
    ----------
    store
        Folder that keeps the results for later runs; None keeps them in memory only.
    threads
        CPU threads; None takes all cores.
    """
    recall = _memory(HOMOLOGUES, store)

    def search(queries: Sequence[str], targets: Sequence[str]) -> Homologues:
        key = _key(queries, targets)
        return recall(key, lambda: find_homologues(queries, targets, threads=threads))

    return search


def remembered_kinship(store: Path | None = None) -> auditing.Search:
    """Return the search of an audit, which runs only once for the same sequences and settings.

    Parameters
    ----------
    store
        As for `remembered_search`.
    """
    recall = _memory(KINSHIP, store)

    def search(
        queries: Sequence[str], targets: Sequence[str], settings: SimilaritySettings
    ) -> Hits:
        limits = (settings.identity_fraction, settings.coverage_fraction, settings.max_evalue)
        key = _key(queries, targets, f"{limits} {settings.max_hits} {settings.tool}")
        return recall(key, lambda: best_hits(queries, targets, settings))

    return search


def _memory(form: Form[Found], store: Path | None) -> Callable[[str, Callable[[], Found]], Found]:
    """Return a function from a key to the results of its search, which runs if they are unknown."""
    known: dict[str, Found] = {}

    def recall(key: str, find: Callable[[], Found]) -> Found:
        if key not in known:
            path = None if store is None else store / f"{form.prefix}-{key}.safetensors"
            found = None if path is None else _read(form, path)
            if found is None:
                found = find()
                if path is not None:
                    _write(form.arrays(found), path)
            known[key] = found
        return known[key]

    return recall


def _key(queries: Sequence[str], targets: Sequence[str], *more: str) -> str:
    text = "\n".join([str(FORMAT_VERSION), *more, *queries, "", *targets])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _read(form: Form[Found], path: Path) -> Found | None:
    """Return the stored results; None if the file is missing or cannot be read."""
    try:
        return form.found(load_file(path))
    except (OSError, SafetensorError, KeyError):
        return None


def _write(arrays: Mapping[str, np.ndarray], path: Path) -> None:
    """Write the results whole.

    Raises
    ------
    StorageError
        If the disk is full or the folder cannot be written.
    """
    with written_whole(path, tidy=True) as partial:
        save_file({name: np.ascontiguousarray(each) for name, each in arrays.items()}, partial)
