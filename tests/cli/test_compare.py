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

    def compare(_config: CompareConfig, **_given: Any) -> CompareResult:
        return result

    monkeypatch.setattr(module, "compare", compare)
    module.run(CompareConfig(out=tmp_path, data=tmp_path / "t.tsv"), frozenset())
    printed = capsys.readouterr()
    text = printed.out
    for said in ("0.610 [0.600, 0.620]", "Chosen on validation: head.", "it needs 90 GB"):
        assert said in text
    assert text.endswith(f"report: {tmp_path}/my runs/report.html\n")
    command = f"peftide predict '{tmp_path}/my runs/best' --input {tmp_path}/t.tsv --out "
    assert f"next: {command}" in printed.err
