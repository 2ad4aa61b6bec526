import json
import re
from pathlib import Path
from typing import Any

import pytest

from peftide.cli import main
from peftide.cli.plan import plan_lines
from peftide.config import PlanConfig, to_yaml
from peftide.planning.plan import Plan
from peftide.planning.planner import make_plan
from tests.conftest import small_config

SUMMED = {"per_epoch": 1200.0, "total": 3605.0}
PLAN = Plan(
    request={
        "task": "ppi",
        "method": "lora",
        "backbone": "mini",
        "rows": {"train": 2000, "validation": 10},
        "proteins": 30,
        "epochs": 3,
    },
    machine={
        "device": "cpu",
        "precision": "bf16",
        "threads": 2,
        "max_tokens": 2048,
        "memory_bytes": 16 * 10**9,
        "memory_free_bytes": 8 * 10**9,
        "disk_free_bytes": 10**11,
    },
    parameters={"trained": 1000, "total": 100_000},
    seconds={"reading": 5.0, "training": 3600.0, "saving": 0.0} | SUMMED,
    cpu_seconds={"reading": 4.0, "training": 7000.0, "saving": 0.0},
    memory={"peak": 9 * 10**9},
    disk={"peak": 10**9, "kept": 10**6},
    fits=False,
    advice=("--max-tokens 512: 4.0 GB",),
    notes=("two layers were measured",),
)


def test_the_table_says_what_is_needed_and_what_is_there() -> None:
    text = re.sub(" {2,}", "  ", "\n".join(plan_lines(PLAN)))
    for said in (
        "ppi, lora on mini",
        "2,000 train",
        "1.000% of 100,000",
        "9.0 GB  free: 8.0 GB of 16.0 GB",
        "1 h 0 min  3 epochs of 20 min 0 s",
        "DOES NOT FIT. These changes fit:\n  --max-tokens 512: 4.0 GB",
        "note: two layers were measured",
    ):
        assert said in text
    assert "saving" not in text  # takes no time


def test_the_yaml_of_a_training_is_that_of_its_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(config: PlanConfig, *, given: frozenset[str]) -> dict[str, Any]:
        return make_plan(config, given=given).as_json()

    monkeypatch.setattr("peftide.commands.plan.run_child", here)
    config = small_config(tmp_path, "regression", "head")
    path = tmp_path / "run.yaml"
    path.write_text(to_yaml(config))
    assert main(["plan", "--config", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["request"]["rows"] == {"train": 24, "validation": 8, "test": 8}
    assert found["format_version"] == 1
    assert not config.out.exists()
