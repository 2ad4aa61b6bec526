"""`peftide export` on the command line."""

from pathlib import Path

import pytest

from peftide.cli import export as module
from peftide.cli.main import main


def test_it_names_the_graphs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "export", lambda _config, given: Path("graphs"))
    assert main(["export", "run", "--out", "graphs"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[:2] == [
        "encoder: graphs/encoder.onnx",
        "head: graphs/head.onnx",
    ]
    assert printed.err.strip() == "next: cat graphs/README.md"
