"""Fitted baselines → a folder of numbers, and back: safetensors and JSON, no pickle."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from safetensors.numpy import load_file, save_file

from peftide.baselines.baseline import Baseline, Fitted
from peftide.errors import InputError
from peftide.files import file_hash, written_whole
from peftide.saved import LIBRARY_ERRORS, Versioned, read_json, read_object, tensor_errors

FORMAT_VERSION = 1
INDEX = "baselines.json"
WITHOUT = "Take the folder away, and scores stand without baselines"


@dataclass(frozen=True)
class Index:
    """The content of `baselines.json`.

    Attributes
    ----------
    kind, proteins_per_example, thresholds
        As in `Stored`.
    files
        Name → SHA-256 of its file; the first peftide wrote none.
    """

    format_version: int
    kind: str
    proteins_per_example: Literal[1, 2]
    thresholds: dict[str, float | None]
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stored:
    """Baselines as a run keeps them.

    Attributes
    ----------
    fitted
        By name.
    thresholds
        Threshold of each, chosen on validation; None if the outcome has no threshold.
    kind
        Kind of outcome, a key of `OUTCOMES`.
    proteins_per_example
        1 or 2.
    """

    fitted: dict[str, Fitted]
    thresholds: dict[str, float | None]
    kind: str
    proteins_per_example: int


def save_baselines(stored: Stored, folder: Path) -> None:
    """Write a folder whole: one file of numbers per baseline, and an index.

    Raises
    ------
    StorageError
        If the disk is full or the place cannot be written.
    """
    index: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "kind": stored.kind,
        "proteins_per_example": stored.proteins_per_example,
        "thresholds": {name: stored.thresholds.get(name) for name in stored.fitted},
        "files": {},
    }
    with written_whole(folder) as partial:
        partial.mkdir(parents=True)
        for name, fitted in stored.fitted.items():
            arrays = {key: np.ascontiguousarray(value) for key, value in fitted.arrays().items()}
            save_file(arrays, _file(partial, name))
            index["files"][name] = file_hash(_file(partial, name))
        text = json.dumps(index, indent=2)
        (partial / INDEX).write_text(text + "\n", encoding="utf-8")


def load_baselines(folder: Path, known: Mapping[str, Baseline]) -> Stored | None:
    """Return the baselines in a folder; None if there is none.

    A missing file is one baseline less: the file of the nearest homologue holds sequences, so
    its owner may have removed it.

    Parameters
    ----------
    known
        Name → how a baseline is opened; others are left out.

    Raises
    ------
    InputError
        If the folder was written by a newer version, or a file cannot be read.
    """
    path = folder / INDEX
    if not path.exists():
        return None
    version = read_object(path, Versioned, fix=WITHOUT)["format_version"]
    if version > FORMAT_VERSION:
        raise InputError(
            f"baselines of format {version}",
            expected=f"up to {FORMAT_VERSION}",
            where=folder,
            fix="Open the run with the version of peftide that wrote it, or a later one",
        )
    index = read_json(path, Index, fix=WITHOUT)
    form = {"kind": index.kind, "proteins_per_example": index.proteins_per_example}
    fitted = {
        name: _fitted(_file(folder, name), known[name], form, sha256=index.files.get(name))
        for name in index.thresholds
        if name in known and _file(folder, name).is_file()
    }
    return Stored(fitted, {name: index.thresholds[name] for name in fitted}, **form)


def _fitted(path: Path, baseline: Baseline, form: dict[str, Any], *, sha256: str | None) -> Fitted:
    try:
        if sha256 not in (None, file_hash(path)):
            raise ValueError("it was changed since it was saved")
        with tensor_errors(path, fix=WITHOUT):
            arrays = load_file(path)
        return baseline.load(arrays, **form)
    except LIBRARY_ERRORS as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"the stored baseline cannot be read ({error})", where=path, fix=WITHOUT
        ) from error


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.safetensors"
