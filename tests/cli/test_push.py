"""`peftide push` on the command line."""

import pytest

from peftide.cli import push as module
from peftide.cli.main import main


def test_it_names_the_address_and_the_way_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "push", lambda _config, given: "https://hub/lab/tiny/commit/1")
    assert main(["push", "run", "lab/tiny"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "model: https://hub/lab/tiny/commit/1\n"
    assert printed.err == "next: peftide pull lab/tiny --out pulled\n"
