"""The command: its lines, its JSON, its exit code."""

import json

import pytest

from peftide.cli import main
from peftide.commands import doctor as module
from tests.conftest import TINY

WORDS = ["doctor", "--backbone", TINY, "--device", "cpu"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPEED_SECONDS", 0.01)


def test_lines_to_paste_into_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(WORDS) == 0
    names = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    assert {"peftide", "device", "memory", "MMseqs2", "speed", "extra formats"} <= set(names)


def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["backbone"] == TINY
    assert found["residues_per_second"] > 0


def test_a_backbone_that_cannot_embed_is_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--backbone", "no_such", "--device", "cpu"]) == 1
    assert "problem: --backbone" in capsys.readouterr().err
