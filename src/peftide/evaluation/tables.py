"""Logits → the prediction table: one row per input row (or residue), in input order."""

import gzip
import io
import lzma
import sys
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from peftide.files import storage_errors, written_whole
from peftide.outcomes import COUNTED, PROBABILITY_OF
from peftide.outputs import table_form
from peftide.sequences import Examples, Proteins
from peftide.sequences.residue_labels import per_residue
from peftide.types import BoolArray, IntArray, Level

FLOAT_FORMAT = "%.6g"
IDS = (("id_a", "id_b"), ("id", "position", "residue"), ("id",))
"""First columns of prediction tables of pairs, residues and single sequences."""
ANSWERS = frozenset({"label", "score", "probability", "prediction", "set"})
"""The columns that may follow, besides one probability per class."""
LONGEST_HEADER = 2**20


def prediction_table(
    examples: Examples,
    proteins: Proteins,
    *,
    level: Level,
    answers: Mapping[str, Any],
    residues: IntArray,
    counted: BoolArray | None = None,
) -> pd.DataFrame:
    """Return ids, label if given, and the answers of each row.

    Parameters
    ----------
    answers
        Columns made by the task's outcome, R values each.
    residues
        Number of residues that the model saw in each example's protein. Shape (B,).
    counted
        Adds the column `counted`: 1 for rows that enter the scores. Shape (R,).
    """
    build = _residue_columns if level == "residue" else _row_columns
    columns = build(examples, proteins, residues)
    if counted is not None:
        columns[COUNTED] = counted.astype(np.int64)
    return pd.DataFrame(columns | dict(answers))


def _row_columns(examples: Examples, proteins: Proteins, _residues: IntArray) -> dict[str, Any]:
    ids = np.array(proteins.ids, dtype=object)[examples.members]
    names = ["id_a", "id_b"] if ids.shape[1] == 2 else ["id"]
    columns: dict[str, Any] = {name: ids[:, k] for k, name in enumerate(names)}
    return columns if examples.labels is None else columns | {"label": list(examples.labels)}


def _residue_columns(examples: Examples, proteins: Proteins, residues: IntArray) -> dict[str, Any]:
    members = examples.members[:, 0]
    seen = [proteins.sequences[p][:n] for p, n in zip(members, residues, strict=True)]
    columns: dict[str, Any] = {
        "id": np.repeat(np.array(proteins.ids, dtype=object)[members], residues),
        "position": np.concatenate([np.arange(1, n + 1) for n in residues]),
        "residue": list("".join(seen)),
    }
    if examples.labels is not None:
        whole = [len(proteins.sequences[p]) for p in members]
        rows = zip(examples.labels, whole, residues, strict=True)
        columns["label"] = list(chain.from_iterable(per_residue(t, w)[:n] for t, w, n in rows))
    return columns


def write_history(history: list[dict[str, Any]], path: Path) -> None:
    """Write one CSV row per epoch, or per evaluation of the held-out sequences."""
    with written_whole(path) as partial:
        pd.DataFrame(history).to_csv(partial, index=False)


def write_table(table: pd.DataFrame, path: Path | None) -> None:
    """Write a table atomically, in the form of its name's ending, or print it with tabs."""
    settings: dict[str, Any] = {"index": False, "float_format": FLOAT_FORMAT}
    if path is None:
        if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
            sys.stdout.reconfigure(encoding="utf-8")  # as in a file: an id must not change
        table.to_csv(sys.stdout, sep="\t", **settings)
        return
    separator, packed = table_form(path)
    with written_whole(path) as partial, storage_errors(path):
        if packed != "gzip":
            settings["compression"] = packed
            table.to_csv(partial, sep=separator, **settings)
            return
        # without a name and a time in the header, equal tables are equal files
        with partial.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as stream:
            table.to_csv(stream, sep=separator, mode="wb", **settings)


def is_prediction_table(path: Path) -> bool:
    """Return whether a file has the header of a prediction table."""
    openers: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open}
    try:
        separator, _ = table_form(path)
        with openers.get(path.suffix, open)(path, "rt", encoding="utf-8", newline="") as stream:
            names = stream.readline(LONGEST_HEADER).rstrip("\r\n")
    except (OSError, ValueError, EOFError, lzma.LZMAError):
        return False
    columns = names.split(separator)
    ids = next((known for known in IDS if tuple(columns[: len(known)]) == known), None)
    if ids is None:
        return False
    answers = [name for name in columns[len(ids) :] if not name.startswith(PROBABILITY_OF)]
    return "prediction" in answers and ANSWERS.issuperset(answers)
