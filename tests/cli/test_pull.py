"""`peftide pull` on the command line."""

from pathlib import Path

import pytest

from peftide.cli import pull as module
from peftide.cli.main import main


def test_it_names_the_folder_and_the_card(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "pull", lambda _config, given: Path("pulled"))
    assert main(["pull", "lab/tiny", "--out", "pulled"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "model: pulled\nmodel card: pulled/model/README.md\n"
    assert "next: peftide predict pulled --input" in printed.err
