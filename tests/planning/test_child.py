import json
import logging
import subprocess
from pathlib import Path
from typing import Any

import pytest

from peftide.config import PlanConfig
from peftide.errors import InputError, PeftideError
from peftide.planning.child import RESULT, run_child
from peftide.progress import saying_once

CONFIG = PlanConfig(task="binary", train=Path("t.tsv"))


def ending(monkeypatch: pytest.MonkeyPatch, code: int, output: str = "") -> None:
    def run(command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, code, stdout=output)

    monkeypatch.setattr("subprocess.run", run)


def test_an_error_in_the_process_is_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    ending(monkeypatch, 0, RESULT + '{"error": "no such file", "kind": "InputError"}\n')
    with pytest.raises(InputError, match="^no such file$"):
        run_child(CONFIG)


def test_a_process_without_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    ending(monkeypatch, -9)
    with pytest.raises(InputError, match="memory.*--max-tokens"):
        run_child(CONFIG)


def test_an_interrupted_process_interrupts(monkeypatch: pytest.MonkeyPatch) -> None:
    ending(monkeypatch, -2)
    with pytest.raises(KeyboardInterrupt):
        run_child(CONFIG)


def test_a_process_that_fails_is_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    ending(monkeypatch, 1, "something else\n")
    with pytest.raises(PeftideError, match="code 1"):
        run_child(CONFIG)


def test_other_output_is_not_taken_for_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    ending(monkeypatch, 0, f'noise\n{RESULT}{{"fits": true}}\nmore noise\n')
    assert run_child(CONFIG) == {"fits": True}


def test_notes_that_the_training_will_say_are_not_said_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[dict[str, Any]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        asked.append(json.loads(options["input"]))
        return subprocess.CompletedProcess(command, 0, stdout=f"{RESULT}{{}}\n")

    monkeypatch.setattr("subprocess.run", run)
    run_child(CONFIG)
    with saying_once():
        run_child(CONFIG)
    alone, inside = (request["level"] for request in asked)
    assert alone <= logging.WARNING < inside
