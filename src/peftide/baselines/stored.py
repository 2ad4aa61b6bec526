"""Fitted baselines → a folder of numbers, and back: safetensors and JSON, no pickle."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from peftide.baselines.baseline import Baseline, Fitted
from peftide.errors import InputError
from peftide.files import written_whole

FORMAT_VERSION = 1
INDEX = "baselines.json"


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
    """Write a folder whole: one file of numbers per baseline, and an index of them.

    Raises
    ------
    StorageError
        If the disk is full or the place cannot be written.
    """
    index = {
        "format_version": FORMAT_VERSION,
        "kind": stored.kind,
        "proteins_per_example": stored.proteins_per_example,
        "thresholds": {name: stored.thresholds.get(name) for name in stored.fitted},
    }
    with written_whole(folder) as partial:
        partial.mkdir(parents=True)
        for name, fitted in stored.fitted.items():
            arrays = {key: np.ascontiguousarray(value) for key, value in fitted.arrays().items()}
            save_file(arrays, _file(partial, name))
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
    if not (folder / INDEX).is_file():
        return None
    try:
        index: dict[str, Any] = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        version, thresholds = index["format_version"], index["thresholds"]
        if version > FORMAT_VERSION:
            raise InputError(
                f"baselines of format {version}",
                expected=f"up to {FORMAT_VERSION}",
                where=folder,
                fix="Open the run with the version of peftide that wrote it, or a later one",
            )
        form = {key: index[key] for key in ("kind", "proteins_per_example")}
        fitted = {
            name: known[name].load(load_file(_file(folder, name)), **form)
            for name in thresholds
            if name in known and _file(folder, name).is_file()
        }
    except (ValueError, KeyError, SafetensorError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"the stored baselines cannot be read ({error})",
            where=folder,
            fix="Take the folder away, and scores stand without baselines",
        ) from error
    return Stored(fitted, {name: thresholds[name] for name in fitted}, **form)


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.safetensors"
