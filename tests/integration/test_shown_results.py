"""What a call returns is short when a notebook shows it."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import pandas as pd
import pytest

import peftide
from peftide.auditing import AuditResult, Subject
from peftide.commands.compare import CompareResult
from peftide.commands.data import DataResult
from peftide.commands.demo import DemoResult
from peftide.commands.screen_folder import ScreenResult
from peftide.commands.split import SplitResult
from peftide.commands.sweep import SweepResult
from peftide.commands.train import TrainResult
from peftide.explaining.explain import Explanation

RESULTS = [
    *(AuditResult, CompareResult, DataResult, DemoResult, Explanation),
    *(ScreenResult, SplitResult, SweepResult, TrainResult),
]
LONG = (dict[str, Any], pd.DataFrame, pd.DataFrame | None, Subject)
"""Records, tables and data sets."""


@pytest.mark.parametrize("kind", RESULTS)
def test_a_result_shows_no_table(kind: type[Any]) -> None:
    kinds = get_type_hints(kind)
    shown = {field.name for field in fields(kind) if field.repr}
    assert shown
    assert not {name for name in shown if kinds[name] in LONG}


def test_a_predictor_shows_its_question(trained: Callable[[str, str], Path]) -> None:
    shown = repr(peftide.load(trained("ppi", "head")))
    assert "interact" in shown
    assert len(shown) < 200
