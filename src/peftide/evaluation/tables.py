"""Logits → the prediction table: one row per input row (or residue), in input order."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from peftide.files import storage_errors, written_whole
from peftide.sequences import Examples, Proteins
from peftide.tasks import Labels, Targets, Task
from peftide.types import FloatArray, IntArray

FLOAT_FORMAT = "%.6g"


def prediction_table(
    examples: Examples,
    proteins: Proteins,
    *,
    task: Task,
    answers: dict[str, Any],
    residues: IntArray,
) -> pd.DataFrame:
    """Return ids, label if given, and the answers of each row.

    Parameters
    ----------
    answers
        Columns made by the task's outcome, R values each.
    residues
        Residues that the model saw of each example's protein. Shape (B,).
    """
    if task.level == "residue":
        return _residue_table(examples, proteins, answers=answers, residues=residues)
    ids = np.array(proteins.ids, dtype=object)[examples.members]
    names = ["id_a", "id_b"] if task.level == "pair" else ["id"]
    columns: dict[str, Any] = {name: ids[:, k] for k, name in enumerate(names)}
    if examples.labels is not None:
        columns["label"] = list(examples.labels)
    return pd.DataFrame(columns | answers)


def _residue_table(
    examples: Examples, proteins: Proteins, *, answers: dict[str, Any], residues: IntArray
) -> pd.DataFrame:
    members = examples.members[:, 0]
    seen = [proteins.sequences[p][:n] for p, n in zip(members, residues, strict=True)]
    columns: dict[str, Any] = {
        "id": np.repeat(np.array(proteins.ids, dtype=object)[members], residues),
        "position": np.concatenate([np.arange(1, n + 1) for n in residues]),
        "residue": list("".join(seen)),
    }
    if examples.labels is not None:
        labels = [text[:n] for text, n in zip(examples.labels, residues, strict=True)]
        columns["label"] = list("".join(labels))
    return pd.DataFrame(columns | answers)


def write_history(history: list[dict[str, Any]], path: Path) -> None:
    """Write one CSV row per epoch, or per look at the held-out sequences."""
    with written_whole(path) as partial:
        pd.DataFrame(history).to_csv(partial, index=False)


def write_table(table: pd.DataFrame, path: Path | None) -> None:
    """Write a TSV whole, or to standard output."""
    settings = {"sep": "\t", "index": False, "float_format": FLOAT_FORMAT}
    if path is None:
        table.to_csv(sys.stdout, **settings)
        return
    with written_whole(path) as partial, storage_errors(path):
        table.to_csv(partial, compression=_compression(path), **settings)


def _compression(path: Path) -> Any:
    return {".gz": "gzip", ".xz": "xz"}.get(path.suffix)


def measure(
    task: Task, targets: Targets, logits: FloatArray, *, labels: Labels, threshold: float
) -> dict[str, Any]:
    """Return the metrics over the rows that count."""
    answers = task.outcome.answers(logits, labels)
    return measure_answers(task, targets, answers, labels=labels, threshold=threshold)


def measure_answers(
    task: Task, targets: Targets, answers: FloatArray, *, labels: Labels, threshold: float
) -> dict[str, Any]:
    """Return the metrics of answers that something else than the model gave."""
    counted = targets.counted
    return task.outcome.metrics(
        targets.values[counted], answers[counted], labels, threshold=threshold
    )
