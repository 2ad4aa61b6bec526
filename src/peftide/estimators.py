"""scikit-learn estimators: sequences or pairs and labels in, a trained model in memory out."""

import re
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from peftide.commands.train import train
from peftide.config import TrainConfig
from peftide.config.groups import DEFAULT_BACKBONE
from peftide.errors import InputError, did_you_mean
from peftide.predictor import Predictor, load
from peftide.sequences.missing import looks_missing_label
from peftide.types import FloatArray

MACHINE = {"device", "precision", "threads", "allow_bin"}
"""Options of a training that prediction needs too."""
PLAIN_NAME = re.compile(r"\w(?:[\w .+/()-]*[\w)+])?")
"""A name of a class that reads the same in every table."""
SEEDS = 2**31
"""A random state that is no number draws a seed below this."""


class ProteinEstimator(BaseEstimator):
    """The parameters, the training and the pickling that all estimators share."""

    columns: tuple[str, ...] = ("sequence",)
    run_: Path
    predictor_: Predictor

    def __init__(
        self,
        *,
        method: str = "head",
        backbone: str = DEFAULT_BACKBONE,
        epochs: int = TrainConfig.epochs,
        embedding_cache: str | Path | None = None,
        random_state: int | np.random.RandomState | None = 0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.method = method
        self.backbone = backbone
        self.epochs = epochs
        self.embedding_cache = embedding_cache
        self.random_state = random_state
        self.options = options

    def save(self, folder: str | Path) -> Path:
        """Copy the trained model to a new folder, for `peftide predict` and `peftide.load`."""
        check_is_fitted(self)
        return Path(shutil.copytree(self.run_, folder))

    def _train(self, X: Any, labels: Any, task: str) -> Self:
        table = self._table(X)
        check_consistent_length(table, labels)
        state = self.random_state
        seed = state if isinstance(state, int) else check_random_state(state).randint(SEEDS)
        chosen: dict[str, Any] = {"baselines": ("none",)} | dict(self.options or {})
        known = [field.name for field in fields(TrainConfig)]
        for name in (name for name in chosen if name not in known):
            raise InputError(
                f"unknown option {name!r}", where="options", fix=did_you_mean(name, known)
            )
        self._take(Path(tempfile.mkdtemp(prefix="peftide-")))
        cache = self.embedding_cache
        config = TrainConfig(
            task=task,
            train=table.assign(label=labels),
            out=self.run_,
            method=self.method,
            backbone=self.backbone,
            epochs=self.epochs,
            embedding_cache=None if cache is None else Path(cache),
            seed=seed,
            **chosen,
        )
        train(config)
        self._load()
        return self

    def _answers(self, X: Any) -> pd.DataFrame:
        check_is_fitted(self)
        return self.predictor_.predict(self._table(X))

    def _table(self, X: Any) -> pd.DataFrame:
        """Return the input as a table with the columns of sequences."""
        names = list(self.columns)
        if isinstance(X, str):
            raise InputError("received one text", expected="a list of texts", where="X")
        if isinstance(X, pd.DataFrame) and set(names) <= set(X.columns):
            return X.loc[:, names].reset_index(drop=True)
        cells = np.asarray(X, dtype=object) if len(X) else np.empty((0, len(names)))
        cells = cells.reshape(-1, 1) if cells.ndim == 1 else cells
        if cells.ndim != 2 or cells.shape[1] != len(names):
            raise InputError(
                f"received an array of shape {cells.shape}",
                expected=f"a table with {' and '.join(names)}, or {len(names)} texts per row",
                where="X",
            )
        return pd.DataFrame(cells, columns=names)

    def _load(self) -> None:
        options = self.options or {}
        self.predictor_ = load(
            self.run_, **{name: options[name] for name in options if name in MACHINE}
        )

    def _take(self, place: Path) -> None:
        """Own a temporary folder: it goes when the estimator goes."""
        self.run_ = place / "run"
        weakref.finalize(self, shutil.rmtree, place, ignore_errors=True)

    def __getstate__(self) -> Any:
        """Return the parameters, and the files of the model: safetensors and JSON."""
        state: Any = dict(super().__getstate__())  # type: ignore
        if "predictor_" in state:
            del state["predictor_"]
            model = state.pop("run_") / "model"
            paths = [path for path in model.rglob("*") if path.is_file()]
            state["files"] = {str(p.relative_to(model.parent)): p.read_bytes() for p in paths}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Write the files of the model to a temporary folder, and load it."""
        files = state.pop("files", None)
        super().__setstate__(state)
        if files is None:
            return
        self._take(Path(tempfile.mkdtemp(prefix="peftide-")))
        for name, content in files.items():
            path = self.run_ / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self._load()

    def __sklearn_tags__(self) -> Tags:
        """Say that the input is text."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.one_d_array = len(self.columns) == 1
        tags.target_tags.required = True
        return tags


class ProteinClassifier(ClassifierMixin, ProteinEstimator):
    """Classes of protein sequences, learned by adapting a protein language model.

    Parameters
    ----------
    method
        How the backbone is adapted: "head" (frozen), "lora", "full" and others.
    backbone
        "mini" (bundled), a folder, a hub id or an alias.
    epochs
        Maximum number of epochs; validation chooses the best one.
    embedding_cache
        Folder of encoded proteins, shared between fits: cross-validation encodes each protein once.
    random_state
        Seed, random state, or None for another seed in each fit.
    options
        Other options of `peftide train`, such as `{"validation_fraction": 0.2, "threads": 4}`.

    Attributes
    ----------
    classes_
        The classes, in the order of the columns of `predict_proba`.
    run_
        Run folder of the training, with its report. It goes with the estimator; `save` keeps it.
    predictor_
        The trained model.

    Examples
    --------
    ::

        model = peftide.ProteinClassifier().fit(sequences, labels)
        probabilities = model.predict_proba(["MKV", "MLS"])  # shape (2, number of classes)
    """

    tasks: tuple[str, str] = ("binary", "multiclass")
    """The task of two classes, and of more."""
    classes_: np.ndarray

    def fit(self, X: Any, y: Any) -> Self:
        """Train on sequences and their classes.

        Parameters
        ----------
        X
            List, array or Series of sequences, or a DataFrame with the column `sequence`.
        y
            A class per sequence: numbers or texts.

        Raises
        ------
        InputError
            If a sequence or an option is wrong, or `y` has only one class or continuous values.
        """
        labels = column_or_1d(y)
        if pd.isna(labels).any():
            raise InputError("y has missing values", where=f"row {pd.isna(labels).argmax()} of y")
        if type_of_target(labels) == "continuous":
            raise InputError(
                "Unknown label type: continuous values",
                expected="a class per row",
                where="y",
                fix="ProteinRegressor learns values",
            )
        self.classes_, places = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(
                f"received the class {', '.join(map(str, self.classes_))} only",
                expected="two classes or more",
                where="y",
            )
        if len(self.classes_) == 2:
            return self._train(X, places, self.tasks[0])
        return self._train(X, np.array(self._names())[places], self.tasks[1])

    def predict(self, X: Any) -> np.ndarray:
        """Return the class of each row. Two classes: by the threshold chosen on validation."""
        found = self._answers(X)["prediction"]
        if len(self.classes_) == 2:
            return self.classes_[found.to_numpy().astype(int)]
        return self.classes_[[self._names().index(name) for name in found]]

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the calibrated probability of each class. Shape (rows, classes)."""
        found = self._answers(X)
        if len(self.classes_) == 2:
            positive = found["probability"].to_numpy()
            return np.stack([1 - positive, positive], axis=1)
        # a rare class may be in validation only
        return found.reindex(columns=[f"p_{n}" for n in self._names()], fill_value=0.0).to_numpy()

    def _names(self) -> list[str]:
        """Return the names of classes in the model: their own, or numbers if one is unusual."""
        names = [str(one) for one in self.classes_]
        usual = all(PLAIN_NAME.fullmatch(name) and not looks_missing_label(name) for name in names)
        if usual and len({name.casefold() for name in names}) == len(names):
            return names
        return [f"class_{number}" for number in range(len(names))]


class PairClassifier(ProteinClassifier):
    """Classes of protein pairs, such as interaction or none; the order in a pair never matters.

    X is a list of pairs of sequences, an array of shape (rows, 2), or a DataFrame with the columns
    `sequence_a` and `sequence_b`. Each distinct protein is encoded once. Parameters and attributes
    are as in `ProteinClassifier`.
    """

    columns = ("sequence_a", "sequence_b")
    tasks = ("ppi", "pair-multiclass")


class ProteinRegressor(RegressorMixin, ProteinEstimator):
    """A value per protein sequence. Parameters are as in `ProteinClassifier`."""

    def fit(self, X: Any, y: Any) -> Self:
        """Train on sequences and their values.

        Parameters
        ----------
        X
            List, array or Series of sequences, or a DataFrame with the column `sequence`.
        y
            A number per sequence.

        Raises
        ------
        InputError
            If a sequence, a value or an option is wrong.
        """
        return self._train(X, column_or_1d(y), "regression")

    def predict(self, X: Any) -> FloatArray:
        """Return the value of each row."""
        return self._answers(X)["prediction"].to_numpy()
