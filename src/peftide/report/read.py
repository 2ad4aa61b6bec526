"""A run folder → the content of its report; missing files leave their section empty."""

import csv
from collections.abc import Container
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from peftide.config import TrainConfig, read_yaml, typed_mapping
from peftide.errors import InputError
from peftide.outcomes import BETWEEN_CLASSES, COUNTED, OUTCOMES, PROBABILITY_OF, TRUTH, Outcome
from peftide.outputs import read_record
from peftide.report.forms import AuditForm, MetricsForm, RunForm
from peftide.run_folder import RunFolder
from peftide.saved import Versioned, read_text, shown
from peftide.types import BoolArray, FloatArray, IntArray

OLDEST_METRICS = 2
Columns = dict[str, np.ndarray]
"""The columns of a table by name, all of one length."""
Curves = dict[str, dict[str, dict[str, tuple[FloatArray, FloatArray]]]]
"""Part → name → curve → horizontal and vertical places of its points."""


@dataclass(frozen=True)
class Part:
    """The rows of one part that entered its scores.

    Attributes
    ----------
    truth
        0 or 1, or a value. Shape (R,); if the outcome has classes, membership of shape (R, K).
    answers
        A probability or a value. Shape (R,); if the outcome has classes, probabilities (R, K).
    class_names
        K names, empty if the outcome has no classes.
    rows
        The other columns of `predictions.tsv`, as text.
    strata
        The columns of `strata.tsv` that group rows.
    """

    name: str
    outcome: Outcome
    truth: FloatArray
    answers: FloatArray
    class_names: tuple[str, ...]
    rows: Columns
    strata: Columns

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.truth)

    @property
    def unit(self) -> str:
        """What one row is: a residue, or a row of the user's table."""
        return "residue" if "position" in self.rows else "row"


@dataclass(frozen=True)
class Run:
    """The content of a run folder.

    Attributes
    ----------
    record, metrics, audit, options
        Content of `run.json`, `metrics.json`, `audit.json` and `config.yaml`; the options of an
        evaluation are those in its `run.json`.
    history
        One row per epoch; empty where there is no `history.csv`.
    parts
        The parts that `predictions.tsv` and `strata.tsv` hold.
    curves
        Part → name of a baseline or another tool → curve → its points, of `curves.tsv`.
    """

    folder: RunFolder
    record: dict[str, Any]
    metrics: dict[str, Any]
    audit: dict[str, Any]
    options: dict[str, Any]
    history: pd.DataFrame
    parts: tuple[Part, ...]
    curves: Curves

    @property
    def unit(self) -> str:
        """What a score counts: a residue, or a row."""
        return self.parts[0].unit if self.parts else "row"

    @property
    def reported(self) -> list[str]:
        """The parts of the report: the test parts, or validation if there is none."""
        names = list(self.metrics["splits"])
        return [name for name in names if name != "validation"] or names


def read_scores(folder: RunFolder) -> dict[str, Any]:
    """Read `metrics.json`; every part has a score of the headline metric.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    metrics = read_record(folder.metrics, MetricsForm)
    headline = metrics["headline"]
    others = metrics.get("baselines", {}) | metrics.get("peers", {})
    scores = {("splits", part): found for part, found in metrics["splits"].items()}
    leads = metrics.get("differences", {})
    for name, parts in others.items():
        scores |= {("scores", name, part): found for part, found in parts.items()}
    for name, parts in leads.items():
        scores |= {("differences", name, part): found for part, found in parts.items()}
    lacking = [place for place, found in scores.items() if headline not in found]
    if lacking:
        raise InputError(
            f"{'.'.join(map(shown, lacking[0]))} has no {shown(headline)}, the headline",
            where=folder.metrics,
        )
    return metrics


def read_run(path: Path) -> Run:
    """Read the run folder of a training, or the folder of an evaluation.

    Raises
    ------
    InputError
        If it holds no scores, or a damaged file.
    """
    folder = RunFolder(path)
    metrics = read_record(folder.metrics, Versioned)
    if not metrics.get("splits"):
        raise InputError(
            f"{path} has no scores (metrics.json)",
            expected="the folder of a finished `peftide train` or `peftide evaluate`",
        )
    if metrics["format_version"] < OLDEST_METRICS:
        raise InputError(
            f"{path} was written by an older peftide; its metrics.json has no outcome",
            fix="Score the model again with `peftide evaluate`, which writes a report too",
        )
    metrics = read_scores(folder)
    record = read_record(folder.record, RunForm)
    return Run(
        folder,
        record=record,
        metrics=metrics,
        audit=read_record(folder.audit, AuditForm),
        options=read_options(folder.config) or record.get("options", {}),
        history=read_history(folder.history),
        parts=read_parts(folder, metrics),
        curves=read_curves(folder.curves),
    )


def read_options(path: Path) -> dict[str, Any]:
    """Return the options of a training; none if there is no such file."""
    return typed_mapping(TrainConfig, read_yaml(path)) if path.exists() else {}


def read_history(path: Path) -> pd.DataFrame:
    """Return one row of numbers per epoch, and the form of its head; none if there is no such file.

    Raises
    ------
    InputError
        If a cell holds no number.
    """
    if not path.exists():
        return pd.DataFrame()
    table = read_table(path, ",")
    for column in table.columns.drop("head", errors="ignore"):  # the form, of several
        numbers = as_numbers(np.asarray(table[column], dtype=object))
        wrong = np.flatnonzero(np.isnan(numbers) & ~table[column].isin(["", "nan"]))
        if len(wrong) or (column == "epoch" and not np.isfinite(numbers).all()):
            row = int(wrong[0]) if len(wrong) else 0
            raise InputError(
                f"column {shown(column)}: received {shown(table[column].iloc[row])}",
                expected="a number",
                where=f"{path}:{row + 2}",
            )
        table[column] = numbers
    return table


def read_parts(folder: RunFolder, metrics: dict[str, Any]) -> tuple[Part, ...]:
    """Return the scored rows of each part; none unless both tables exist and have equal rows."""
    if not (folder.predictions.is_file() and folder.strata.is_file()):
        return ()
    answers, strata = read_columns(folder.predictions), read_columns(folder.strata)
    outcome = OUTCOMES[metrics["outcome"]]
    by_class = [column for column in answers if column.startswith(PROBABILITY_OF)]
    needed = [COUNTED] if outcome.has_classes and by_class else [COUNTED, outcome.answer_column]
    for path, columns, names in (
        (folder.predictions, answers, needed),
        (folder.strata, strata, [TRUTH]),
    ):
        if missing := [name for name in names if name not in columns]:
            raise InputError(f"no column {', '.join(missing)}", where=path)
    counted = answers[COUNTED] == "1"
    if len(counted) != len(strata[TRUTH]):
        return ()
    parts = answers.get("split", np.full(len(counted), next(iter(metrics["splits"])), dtype=object))
    rows = {name: np.flatnonzero(counted & (parts == name)) for name in metrics["splits"]}
    return tuple(
        build_part(name, select(answers, chosen), select(strata, chosen), outcome=outcome)
        for name, chosen in rows.items()
        if len(chosen)
    )


def read_curves(path: Path) -> Curves:
    """Return the points of each curve; none if there is no such file.

    Raises
    ------
    InputError
        If it is no table of curves.
    """
    if not path.is_file():
        return {}
    columns = read_columns(path)
    if missing := [name for name in ("split", "name", "curve", "x", "y") if name not in columns]:
        raise InputError(f"no column {', '.join(missing)}", where=path)
    places = np.stack([as_numbers(columns["x"]), as_numbers(columns["y"])])
    if (wrong := np.flatnonzero(~np.isfinite(places).all(axis=0))).size:
        row = int(wrong[0])
        received = f"x {shown(columns['x'][row])} and y {shown(columns['y'][row])}"
        raise InputError(f"received {received}", expected="numbers", where=f"{path}:{row + 2}")
    found: Curves = {}
    keys = pd.DataFrame({name: columns[name] for name in ("split", "name", "curve")})
    for key, rows in keys.groupby(list(keys), sort=False).indices.items():
        split, name, curve = (str(part) for part in np.atleast_1d(np.array(key, dtype=object)))
        x, y = places[:, np.sort(rows)]
        found.setdefault(split, {}).setdefault(name, {})[curve] = (x, y)
    return found


def read_columns(path: Path) -> Columns:
    """Read a TSV file with every cell as text."""
    table = read_table(path, "\t")
    return {str(name): np.asarray(table[name], dtype=object) for name in table.columns}


def read_table(path: Path, delimiter: str) -> pd.DataFrame:
    """Read a table that peftide wrote, with every cell as text.

    Raises
    ------
    InputError
        If it is no such table.
    """
    reader = csv.reader(StringIO(read_text(path)), delimiter=delimiter)
    try:
        lines = [(reader.line_num, cells) for cells in reader if cells]
    except csv.Error as error:
        raise InputError(
            f"cannot be read ({error})", expected="a table", where=f"{path}:{reader.line_num}"
        ) from error
    if not lines:
        raise InputError("the file is empty", expected="a table", where=path)
    (_, names), *rows = lines
    if twice := [name for number, name in enumerate(names) if name in names[:number]]:
        raise InputError(f"more than one column is named {shown(twice[0])}", where=path)
    for line, cells in rows:
        if len(cells) != len(names):
            raise InputError(
                f"the row has {len(cells)} cells and the header {len(names)}",
                where=f"{path}:{line}",
            )
    return pd.DataFrame([cells for _, cells in rows], columns=names, dtype=object)


def select(columns: Columns, rows: IntArray | BoolArray) -> Columns:
    """Return these rows of each column."""
    return {name: values[rows] for name, values in columns.items()}


def build_part(name: str, answers: Columns, strata: Columns, *, outcome: Outcome) -> Part:
    """Turn the text of the counted rows of a part into numbers; leave out rows without numbers."""
    given_by, class_names = [outcome.answer_column], ()
    if outcome.has_classes:
        given_by = [column for column in answers if column.startswith(PROBABILITY_OF)]
        class_names = tuple(column.removeprefix(PROBABILITY_OF) for column in given_by)
    given = np.stack([as_numbers(answers[column]) for column in given_by], axis=1)
    texts = strata[TRUTH]
    truth = membership(texts, class_names) if class_names else as_numbers(texts)[:, None]
    whole = np.asarray(np.isfinite(np.concatenate([given, truth], axis=1)).all(axis=1))
    return Part(
        name,
        outcome=outcome,
        truth=truth[whole] if class_names else truth[whole, 0],
        answers=given[whole] if class_names else given[whole, 0],
        class_names=class_names,
        rows=select({c: v for c, v in answers.items() if c not in given_by}, whole),
        strata=select({c: v for c, v in strata.items() if c != TRUTH}, whole),
    )


def as_numbers(texts: np.ndarray) -> FloatArray:
    """Return numbers, NaN for text that is none. Shape (R,).

    Examples
    --------
    >>> as_numbers(np.array(["1.5", "many"], dtype=object)).tolist()
    [1.5, nan]
    """
    return np.asarray(pd.to_numeric(texts, errors="coerce"), dtype=np.float64)


def membership(texts: np.ndarray, class_names: tuple[str, ...]) -> FloatArray:
    """Return 1 where a row carries a class. Shape (R, K).

    Examples
    --------
    >>> membership(np.array(["C2", "C1|C2"], dtype=object), ("C1", "C2")).tolist()
    [[0.0, 1.0], [1.0, 1.0]]
    """
    codes, distinct = pd.factorize(texts)
    column = {name: k for k, name in enumerate(class_names)}
    known = np.zeros((len(distinct), len(class_names)))
    for row, text in enumerate(distinct):
        known[row, [column[name] for name in carried_by(text, column) if name in column]] = 1
    return known[codes]


def carried_by(text: str, class_names: Container[str]) -> list[str]:
    """Return the classes that a row carries; a class may itself contain the separator."""
    return [text] if text in class_names else text.split(BETWEEN_CLASSES)
