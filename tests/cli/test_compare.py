from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from peftide.cli import compare as module
from peftide.commands.compare import CompareResult
from peftide.config import CompareConfig
from tests.report.test_comparison import BOARD


def test_the_command_prints_board_verdict_and_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = CompareResult(tmp_path / "my runs", pd.DataFrame(), BOARD)
    result.path.mkdir()
    (result.path / "report.html").touch()

    def compare(_config: CompareConfig, **_given: Any) -> CompareResult:
        return result

    monkeypatch.setattr(module, "compare", compare)
    module.run(CompareConfig(out=tmp_path, data=tmp_path / "t.tsv"), frozenset())
    printed = capsys.readouterr()
    text = printed.out
    for said in ("0.610 [0.600, 0.620]", "Chosen on validation: head.", "it needs 90 GB"):
        assert said in text
    assert text.endswith(f"report: {tmp_path}/my runs/report.html\n")
    command = f"peftide predict '{tmp_path}/my runs/best' --input new.fasta --out "
    assert f"next: {command}" in printed.err
    assert "this call: 0.0 s, which includes planning" in text
    assert "do not rely" not in printed.err


@pytest.mark.parametrize(
    ("found", "useful"),
    [("below", True), ("above", False), ("spans 0: no evidence of a difference", False)],
)
def test_a_model_that_is_not_above_the_best_baseline_is_doubted(found: str, useful: bool) -> None:
    rows = [
        {"status": "baseline", "verdict": found},
        {"status": "trained"},
        {"status": "baseline", "verdict": "below"},
    ]
    assert module.is_useful({"rows": rows}) == useful
    assert module.is_useful({"rows": rows[1:2]})
