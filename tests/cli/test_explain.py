"""`peftide explain` on the command line."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from peftide.cli import explain as module
from peftide.cli.main import main


def test_it_prints_scores_and_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    faithful = SimpleNamespace(verdict="The attribution is faithful: yes.", is_faithful=True)
    proteins = pd.DataFrame({"id": ["p1"], "target": ["predicted value"], "score": [1.25]})
    found = SimpleNamespace(proteins=proteins, faithfulness=faithful)
    monkeypatch.setattr(module, "explain", lambda _config, given: found)
    Path("why").mkdir()
    Path("why/report.html").touch()
    assert main(["explain", "run", "--input", "t.tsv", "--out", "why"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["p1", "predicted", "value", "1.25"]
    assert "calibration" not in lines[2]
    assert lines[-3:] == [
        "verdict: The attribution is faithful: yes.",
        "tables: why",
        "report: why/report.html",
    ]


def test_it_says_how_many_proteins_are_not_shown_and_that_log_odds_are_not_calibrated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    faithful = SimpleNamespace(verdict="yes", is_faithful=True)
    names = [f"p{k}" for k in range(12)]
    proteins = pd.DataFrame({"id": names, "target": "log odds of yes", "score": 0.5})
    found = SimpleNamespace(proteins=proteins, faithfulness=faithful)
    monkeypatch.setattr(module, "explain", lambda _config, given: found)
    assert main(["explain", "run", "--input", "t.tsv", "--out", "why"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[11] == "… and 2 more in why"
    assert "before calibration" in lines[12]
