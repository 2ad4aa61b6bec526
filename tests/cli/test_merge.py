"""`peftide merge` on the command line."""

from pathlib import Path

import pytest

from peftide.cli import merge as module
from peftide.cli.main import main


def test_it_names_the_folder_and_a_command_that_uses_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "merge", lambda _config, given: Path("merged"))
    assert main(["merge", "run", "--out", "merged"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "checkpoint: merged\nhow to use it: merged/README.md\n"
    assert "next: peftide embed --backbone merged" in printed.err
