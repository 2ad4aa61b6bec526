from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from peftide.cli import sweep as module
from peftide.commands.sweep import SweepResult
from peftide.config import SweepConfig
from tests.report.test_sweep import SWEEP


def test_the_command_prints_the_best_trials_and_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = SweepResult(tmp_path, pd.DataFrame(SWEEP["trials"]), SWEEP)

    def sweep(_config: SweepConfig, **_given: Any) -> SweepResult:
        return result

    monkeypatch.setattr(module, "sweep", sweep)
    module.run(SweepConfig(out=tmp_path, space=tmp_path / "s.yaml"), frozenset())
    printed = capsys.readouterr()
    text = printed.out + printed.err
    for said in ("0.700", "lora_r 80%"):
        assert said in text
    assert f"next: peftide train --config {tmp_path}/best.yaml --out " in printed.err
