"""What a report reads has its form; a damaged file is one message with the key."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from peftide.errors import InputError
from peftide.report import write_report
from tests.report.conftest import binary_run

DAMAGED: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "list": ("metrics.json", lambda _: [1], "an object"),
    "no headline": ("metrics.json", lambda m: m.pop("headline"), "headline is missing"),
    "outcome": ("metrics.json", lambda m: m.update(outcome="odd"), "outcome: received 'odd'"),
    "score": (
        "metrics.json",
        lambda m: m["splits"]["test"].update(average_precision=0.5),
        "splits.test.average_precision: received 0.5, expected an object",
    ),
    "value": (
        "metrics.json",
        lambda m: m["splits"]["test"]["average_precision"].update(value="high"),
        "splits.test.average_precision.value: received 'high'",
    ),
    "baselines": ("metrics.json", lambda m: m.update(baselines=[]), "baselines: received"),
    "findings": ("run.json", lambda r: r.update(findings=[{}]), "findings.0.part is missing"),
    "threads": ("run.json", lambda r: r.update(hardware={"threads": "4"}), "hardware.threads"),
    "date": ("run.json", lambda r: r.update(date="2026-11NA"), "date: .*isoformat"),
    "examples": ("run.json", lambda r: r.update(examples={"test": 3}), "examples.test"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_named_with_its_key(tmp_path: Path, kind: str) -> None:
    name, change, message = DAMAGED[kind]
    folder = binary_run(tmp_path / "run")
    write_report(folder)
    content = json.loads((folder / name).read_text())
    made = change(content)
    (folder / name).write_text(json.dumps(made if made == [1] else content))
    with pytest.raises(InputError, match=f"{name}: .*{message}"):
        write_report(folder)
