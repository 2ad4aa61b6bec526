from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from peftide.tasks import TASKS

Trained = Callable[[str, str], Path]


@pytest.mark.parametrize("task", TASKS)
def test_the_tables_have_the_same_rows(trained: Trained, task: str) -> None:
    run = trained(task, "head")
    predictions = pd.read_csv(run / "predictions.tsv", sep="\t")
    assert len(predictions) == len(pd.read_csv(run / "strata.tsv", sep="\t"))
    assert set(predictions["counted"]) <= {0, 1}
    assert set(predictions["split"]) == {"test"}


def test_the_curves_of_baselines_are_written_for_yes_and_no(trained: Trained) -> None:
    curves = pd.read_csv(trained("ppi", "head") / "curves.tsv", sep="\t")
    assert list(curves) == ["split", "name", "curve", "x", "y"]
    assert set(curves["split"]) == {"test"}
    assert {"composition", "degree"} <= set(curves["name"])
    assert set(curves["curve"]) == {"precision_recall", "roc"}
    assert curves[["x", "y"]].stack().between(0, 1).all()
    assert not (trained("regression", "head") / "curves.tsv").exists()
