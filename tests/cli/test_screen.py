from pathlib import Path
from typing import Any

import pytest

from peftide.cli import screen as module
from peftide.commands.screen import ScreenResult
from peftide.config import ScreenConfig


@pytest.mark.parametrize("dry", [False, True])
def test_the_command_prints_numbers_and_the_next_step(
    dry: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "h.parquet"

    def screen(_config: ScreenConfig, **_given: Any) -> ScreenResult:
        return ScreenResult(out, 1000, 1000, 500_500, 10_000, 2.0)

    monkeypatch.setattr(module, "screen", screen)
    config = ScreenConfig(run=tmp_path, sequences=tmp_path / "p.fasta", out=out, dry_run=dry)
    module.run(config, frozenset())
    printed = capsys.readouterr()
    assert "500,500 pairs" in printed.out
    assert ("250,250 pairs/s" in printed.out) != dry
    assert ("next: python -c" in printed.err) != dry
