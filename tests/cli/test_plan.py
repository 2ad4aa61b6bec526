import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from peftide.cli import main
from peftide.cli.plan import next_command, plan_lines, print_plan
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
        "1 h 0 min  of it 1 h 0 min for 3 epochs of 20 min 0 s",
        "note: two layers were measured",
    ):
        assert said in text
    assert "saving" not in text  # takes no time
    assert "busy" not in text
    idle = replace(PLAN, cpu_seconds={"reading": 4.0, "training": 1000.0})
    assert list(plan_lines(idle))[-1].startswith("note: this machine is busy: an idle one takes ab")


def test_the_verdict_and_the_next_command_follow(capsys: pytest.CaptureFixture[str]) -> None:
    config = PlanConfig(data=Path("a b.tsv"), method="full", epochs=3, threads=1)
    given = frozenset({"data", "method", "epochs", "json"})
    print_plan(PLAN)
    assert capsys.readouterr().out.endswith(
        "\nverdict: DOES NOT FIT. These changes fit:\n  --max-tokens 512: 4.0 GB\n"
    )
    smaller = "peftide plan --data 'a b.tsv' --method full --epochs 3 --max-tokens 512"
    assert sorted(next_command(config, PLAN, given=given)) == sorted(shlex.split(smaller))
    head = replace(PLAN, advice=("--method head: 1.0 GB",))
    words = next_command(replace(config, weight_decay=0.5), head, given=given | {"weight_decay"})
    assert sorted(words) == sorted(
        shlex.split("peftide plan --data 'a b.tsv' --epochs 3 --method head")
    )
    fitting = replace(PLAN, fits=True, advice=())
    print_plan(fitting)
    assert capsys.readouterr().out.endswith("\nverdict: fits on this machine\n")
    words = next_command(config, fitting, given=given)
    train = "peftide train --data 'a b.tsv' --method full --epochs 3 --out my_run"
    assert sorted(words) == sorted(shlex.split(train))


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
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].startswith("next: peftide train --")
    found = json.loads(captured.out)
    assert found["request"]["rows"] == {"train": 24, "validation": 8, "test": 8}
    assert found["format_version"] == 1
    assert not config.out.exists()
