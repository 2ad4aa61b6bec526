import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from peftide.commands.evaluate import evaluate
from peftide.commands.train import train
from peftide.config import EvaluateConfig
from peftide.report import page as module
from peftide.report.read import read_run
from peftide.tasks import TASKS
from tests.conftest import small_config

Trained = Callable[[str, str], Path]
QUICK: dict[str, Any] = {"threads": 1, "device": "cpu", "precision": "fp32"}


@pytest.mark.parametrize("task", TASKS)
def test_a_training_leaves_a_report_of_the_rows_it_scored(trained: Trained, task: str) -> None:
    run = trained(task, "head")
    assert (run / "report.html").read_text().startswith("<!DOCTYPE html>")
    read = read_run(run)
    (part,) = read.parts
    assert part.name == "test"
    assert len(part) == read.metrics["splits"]["test"][read.metrics["headline"]]["n"]
    assert len(pd.read_csv(run / "strata.tsv", sep="\t")) == len(
        pd.read_csv(run / "predictions.tsv", sep="\t")
    )


def test_an_evaluation_leaves_a_report_too(trained: Trained, tmp_path: Path) -> None:
    run = trained("ppi", "head")
    config = EvaluateConfig(run=run, input=run.parent / "test.tsv", out=tmp_path / "s", **QUICK)
    evaluate(config)
    assert "Do two proteins interact?" in (tmp_path / "s" / "report.html").read_text()
    strata = pd.read_csv(tmp_path / "s" / "strata.tsv", sep="\t")
    assert set(strata["seen"]) == {"none_seen"}
    assert set(strata["pairs_in_train"]) == {0}
    assert strata["similarity"].between(0, 1).all()


@pytest.mark.loses_report
def test_a_report_that_fails_breaks_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_path: Path, *, title: str | None) -> None:
        raise ZeroDivisionError("a slip of ours")

    monkeypatch.setattr(module, "write_run", fail)
    with caplog.at_level(logging.WARNING, logger="peftide"):
        result = train(small_config(tmp_path, "regression", "head", epochs=1))
    assert json.loads((result.path / "run.json").read_text())["status"] == "finished"
    assert not (result.path / "report.html").exists()
    (said,) = [record.getMessage() for record in caplog.records if "report" in record.getMessage()]
    assert "ZeroDivisionError: a slip of ours" in said
    assert f"`peftide report {result.path}` tries again" in said
