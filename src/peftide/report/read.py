"""A run folder → what its report is made of; files that are not there leave their section empty."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from peftide.config import read_yaml
from peftide.errors import InputError
from peftide.outputs import read_record
from peftide.run_folder import RunFolder
from peftide.types import FloatArray

Kind = Literal["binary", "categorical", "continuous"]
PROBABILITY_OF = "p_"  # prefix of the columns with one class's probability
BETWEEN_CLASSES = "|"  # of a row that carries several
COUNTED, TRUTH = "counted", "truth"


@dataclass(frozen=True)
class Part:
    """The rows of one part that entered its scores.

    Attributes
    ----------
    truth
        0 or 1 (binary), class membership (categorical; shape (R, K)) or a value. Shape (R,).
    answers
        Probability of 1, of each class (shape (R, K)), or a value. Shape (R,).
    class_names
        K names, empty unless categorical.
    rows
        The columns of `predictions.tsv` that say which row it is, as text.
    strata
        The columns of `strata.tsv` that rows are grouped by.
    """

    name: str
    kind: Kind
    truth: FloatArray
    answers: FloatArray
    class_names: tuple[str, ...]
    rows: pd.DataFrame
    strata: pd.DataFrame

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.truth)


@dataclass(frozen=True)
class Run:
    """What a run folder says.

    Attributes
    ----------
    record, metrics, options
        Content of `run.json`, `metrics.json` and `config.yaml`.
    history
        One row per epoch; empty where there is no `history.csv`.
    parts
        The parts that `predictions.tsv` holds, if `strata.tsv` says which of their rows count.
    """

    folder: RunFolder
    record: dict[str, Any]
    metrics: dict[str, Any]
    options: dict[str, Any]
    history: pd.DataFrame
    parts: tuple[Part, ...]

    @property
    def reported(self) -> list[str]:
        """The parts that the report is about: the test parts, or validation if there is none."""
        names = list(self.metrics["splits"])
        return [name for name in names if name != "validation"] or names


def read_run(path: Path) -> Run:
    """Read the run folder of a training, or the folder of an evaluation.

    Raises
    ------
    InputError
        If it holds no scores.
    """
    folder = RunFolder(path)
    metrics = read_record(folder.metrics)
    if not metrics.get("splits"):
        raise InputError(
            f"{path} has no scores (metrics.json)",
            expected="the folder of a finished `peftide train` or `peftide evaluate`",
        )
    return Run(
        folder,
        record=read_record(folder.record),
        metrics=metrics,
        options=read_yaml(folder.config) if folder.config.is_file() else {},
        history=pd.read_csv(folder.history) if folder.history.is_file() else pd.DataFrame(),
        parts=read_parts(folder, metrics),
    )


def read_parts(folder: RunFolder, metrics: dict[str, Any]) -> tuple[Part, ...]:
    """Return the scored rows of each part; none unless both tables are there and fit."""
    if not (folder.predictions.is_file() and folder.strata.is_file()):
        return ()
    answers, strata = read_text_table(folder.predictions), read_text_table(folder.strata)
    if len(answers) != len(strata):
        return ()
    if "split" not in answers:
        answers["split"] = next(iter(metrics["splits"]))
    counted = strata[COUNTED] == "1"
    return tuple(
        build_part(name, answers[counted & (answers["split"] == name)], strata)
        for name in metrics["splits"]
        if (counted & (answers["split"] == name)).any()
    )


def read_text_table(path: Path) -> pd.DataFrame:
    """Read a TSV file with every cell as it stands there."""
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


def build_part(name: str, answers: pd.DataFrame, strata: pd.DataFrame) -> Part:
    """Turn the text of the counted rows of a part into numbers; rows without are left out."""
    strata = strata.loc[answers.index]
    class_names = tuple(
        column.removeprefix(PROBABILITY_OF)
        for column in answers
        if column.startswith(PROBABILITY_OF)
    )
    kind: Kind = "categorical" if class_names else "continuous"
    columns = [f"{PROBABILITY_OF}{name}" for name in class_names] or ["prediction"]
    if "probability" in answers:
        kind, columns = "binary", ["probability"]
    given = answers[columns].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    truth = membership(strata[TRUTH], class_names) if class_names else as_numbers(strata[TRUTH])
    whole = np.isfinite(given).all(axis=1) & np.isfinite(truth).all(axis=1)
    shown = [column for column in answers if column not in columns]
    return Part(
        name,
        kind=kind,
        truth=truth[whole] if class_names else truth[whole, 0],
        answers=given[whole] if class_names else given[whole, 0],
        class_names=class_names,
        rows=answers.loc[whole, shown],
        strata=strata.drop(columns=[COUNTED, TRUTH])[whole],
    )


def as_numbers(texts: pd.Series) -> FloatArray:
    """Return numbers, NaN for text that is none. Shape (R, 1)."""
    return pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64)[:, None]


def membership(texts: pd.Series, class_names: tuple[str, ...]) -> FloatArray:
    """Return 1 where a row carries a class. Shape (R, K).

    Examples
    --------
    >>> membership(pd.Series(["C2", "C1|C2"]), ("C1", "C2")).tolist()
    [[0.0, 1.0], [1.0, 1.0]]
    """
    codes, distinct = pd.factorize(texts)
    known = [
        [float(name in carried_by(text, class_names)) for name in class_names] for text in distinct
    ]
    return np.array(known, dtype=np.float64).reshape(len(known), len(class_names))[codes]


def carried_by(text: str, class_names: tuple[str, ...]) -> list[str]:
    """Return the classes that a row carries; a class may itself contain the separator."""
    return [text] if text in class_names else text.split(BETWEEN_CLASSES)
