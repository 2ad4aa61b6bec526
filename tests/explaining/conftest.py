"""Opened models and the proteins that they explain."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import peftide
from peftide.explaining.subjects import Subject, read_subjects
from peftide.predictor import Predictor
from tests.conftest import is_about_pairs, labelled_rows

Opened = Callable[..., tuple[Predictor, list[Subject]]]


@pytest.fixture(scope="session")
def opened(trained: Callable[[str, str], Path]) -> Opened:
    """Task → a predictor, and the subjects of two rows."""

    @cache
    def predictor_of(task: str) -> Predictor:
        return peftide.load(trained(task, "head"), device="cpu", precision="fp32", threads=1)

    def of(task: str, **options: Any) -> tuple[Predictor, list[Subject]]:
        predictor = predictor_of(task)
        rows = labelled_rows(task, "test", 2)
        inputs: Any = [row[:2] for row in rows] if is_about_pairs(task) else [r[1] for r in rows]
        return predictor, read_subjects(predictor, predictor.read(inputs), **options)

    return of
