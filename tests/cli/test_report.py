import json
from pathlib import Path
from typing import Any

import pytest

from peftide.cli import main


def test_the_report_is_written_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = {"auroc": {"value": 0.5, "low": None, "high": None, "n": 9}}
    metrics: dict[str, Any] = {"format_version": 2, "outcome": "binary", "headline": "auroc"}
    metrics["splits"] = {"test": scores}
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    assert main(["report", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"report: {tmp_path / 'report.html'}\n"
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert main(["report", str(tmp_path), "--title", "Yeast <b>& I</b>"]) == 0
    assert "<h1>Yeast &lt;b&gt;&amp; I&lt;/b&gt;</h1>" in (tmp_path / "report.html").read_text()


def test_a_folder_without_scores_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path)]) == 2
    assert "has no scores" in capsys.readouterr().err
