"""A predictor that several people ask at once: data sets in, answers and pictures out.

Torch's settings belong to the whole process, so one piece of work runs at a time. Long work is cut
into pieces, and short questions are answered between them.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from peftide.config import AppConfig
from peftide.errors import InputError
from peftide.explaining.attribution import ATTRIBUTIONS, default_attribution
from peftide.explaining.deletion import delete
from peftide.explaining.faithful import Faithfulness, faithfulness
from peftide.explaining.scoring import scores
from peftide.explaining.subjects import Partner, Subject, read_subjects
from peftide.explaining.substitutions import PER_SITE, substitution_table
from peftide.predictor import Predictor
from peftide.predictor.predictor import PART
from peftide.sequences import Dataset, keep_used_proteins, select_rows
from peftide.types import FloatArray

ROWS_PER_PIECE = 16
RESIDUES_PER_PIECE = 5_000
"""Residues of mutants that are encoded in one piece."""


@dataclass(frozen=True)
class Picture:
    """A partly or fully explained protein.

    Attributes
    ----------
    share
        Share of the substitutions that are done.
    faithful
        Whether the attribution is true for this protein.
    """

    subject: Subject
    attribution: FloatArray
    faithful: Faithfulness
    substitutions: pd.DataFrame
    share: float


@dataclass(frozen=True)
class Service:
    """Answers questions, one piece of work at a time."""

    predictor: Predictor
    config: AppConfig
    busy: threading.Lock = field(default_factory=threading.Lock)

    @property
    def has_sets(self) -> bool:
        """Whether answers have prediction sets."""
        return self.predictor.answering.decisions.conformal is not None

    def always_in_sets(self, error_rate: float) -> dict[str, int]:
        """Return the classes that are in every set at this rate, and their validation rows."""
        answering = self.predictor.answering
        conformal = answering.decisions.conformal
        if conformal is None:
            return {}
        rows = zip(answering.labels.class_names, conformal.counts, strict=True)
        kept = np.isinf(conformal.limits(error_rate)).tolist()
        return {name: count for (name, count), one in zip(rows, kept, strict=True) if one}

    def answer(self, dataset: Dataset, *, error_rate: float | None = None) -> pd.DataFrame:
        """Return the rows of `scores.tsv`, with prediction sets if the model has them."""
        predictor = self.predictor
        with self.busy:
            logits = predictor.logits(dataset)
        rate = error_rate if self.has_sets else None
        return predictor.table(dataset, predictor.answering.columns(logits, error_rate=rate))

    def answer_all(
        self, dataset: Dataset, *, error_rate: float | None = None
    ) -> Iterator[tuple[int, pd.DataFrame]]:
        """Yield the number of answered rows and their answers, piece by piece.

        It ends early when the time of a request is over.
        """
        started, count = time.monotonic(), len(dataset.parts[PART])
        for start in range(0, count, ROWS_PER_PIECE):
            rows = np.arange(start, min(start + ROWS_PER_PIECE, count))
            yield int(rows[-1]) + 1, self.answer(rows_of(dataset, rows), error_rate=error_rate)
            if time.monotonic() - started > self.config.most_seconds:
                return

    def explain(self, dataset: Dataset, *, partner: Partner = "a") -> Iterator[Picture]:
        """Yield the explanation of the first row, with more substitutions each time.

        Raises
        ------
        InputError
            If it takes longer than a request may.
        """
        started = time.monotonic()
        with self.busy:
            subject = read_subjects(self.predictor, dataset, partner=partner)[0]
            attribution = ATTRIBUTIONS[default_attribution(self.predictor)](self.predictor, subject)
        faithful = self._faithful(subject, attribution)
        length = len(subject.sequence)
        step = max(1, RESIDUES_PER_PIECE // (PER_SITE * length))
        tables: list[pd.DataFrame] = []
        for first in range(1, length + 1, step):
            sites = set(range(first, min(first + step, length + 1)))
            with self.busy:
                tables.append(substitution_table(self.predictor, subject, sites))
            done = min(first + step - 1, length) / length
            found = pd.concat(tables, ignore_index=True)
            yield Picture(subject, attribution, faithful, found, done)
            seconds = time.monotonic() - started
            if seconds > self.config.most_seconds and done < 1:
                raise InputError(
                    f"stopped after {seconds:.0f} s with {done:.0%} of the substitutions",
                    fix="`peftide explain` has no limit",
                )

    def _faithful(self, subject: Subject, attribution: FloatArray) -> Faithfulness:
        """Return the deletion test of one protein; each order of hiding is a piece."""

        def score(texts: Any) -> FloatArray:
            size = max(1, RESIDUES_PER_PIECE // len(subject.sequence))
            found = []
            for start in range(0, len(texts), size):
                with self.busy:
                    found.append(scores(self.predictor, subject, texts[start : start + size]))
            return np.concatenate(found)

        return faithfulness([subject], [delete(subject.sequence, attribution, score)])


def rows_of(dataset: Dataset, rows: np.ndarray) -> Dataset:
    """Return some rows of a data set, and only their proteins."""
    part = select_rows(dataset.parts[PART], rows)
    return keep_used_proteins(replace(dataset, parts={PART: part}))
