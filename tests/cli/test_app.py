"""`peftide app` on the command line."""

from typing import Any

import pytest

from peftide.cli import app as module
from peftide.cli.main import main


@pytest.mark.parametrize(("host", "notes"), [("127.0.0.1", 0), ("0.0.0.0", 1)])
def test_it_prints_the_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], host: str, notes: int
) -> None:
    def served(config: Any, *, given: frozenset[str], ready: Any) -> None:
        assert given == {"run", "host"}
        ready(f"http://{config.host}:7860")

    monkeypatch.setattr(module, "app", served)
    assert main(["app", "run", "--host", host]) == 0
    found = capsys.readouterr()
    assert found.out == f"open http://{host}:7860 (Ctrl+C stops it)\n"
    assert found.err.count("no password") == notes
