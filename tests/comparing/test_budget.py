import time
from pathlib import Path

import pytest

from peftide.comparing.budget import Budget
from peftide.comparing.cells import Contender
from peftide.files import write_json
from peftide.planning.plan import Plan
from peftide.run_folder import RunFolder

LORA = Contender("lora", "mini")


def plan(seconds: float, *, fits: bool = True) -> Plan:
    sizes = {"peak": 2_000_000_000}
    return Plan({}, {}, {}, {"total": seconds}, {}, sizes, sizes, fits, ("--batch-size 8",))


def budget(folder: Path, found: Plan, minutes: float | None = None) -> Budget:
    run = RunFolder(folder)
    write_json(run.record, {"command": "compare"})
    return Budget(run, lambda _one: found, minutes)


def test_a_training_that_fits_has_no_objection(tmp_path: Path) -> None:
    assert budget(tmp_path, plan(1e9)).objection(LORA) == ""
    assert budget(tmp_path, plan(50), minutes=1).objection(LORA) == ""


def test_memory_is_named_with_advice(tmp_path: Path) -> None:
    said = budget(tmp_path, plan(1, fits=False)).objection(LORA)
    assert "2.0 GB" in said
    assert "--batch-size 8" in said


def test_a_finished_training_is_a_better_forecast_than_a_plan(tmp_path: Path) -> None:
    found = budget(tmp_path, plan(1e6), minutes=1)
    assert "--time-limit" in found.objection(LORA)
    found.learn(LORA, 5.0)
    assert found.objection(LORA) == ""


def test_a_resumed_comparison_plans_nothing_again(tmp_path: Path) -> None:
    assert budget(tmp_path, plan(1)).objection(LORA) == ""
    again = Budget(RunFolder(tmp_path), lambda _one: plan(1, fits=False), None)
    assert again.objection(LORA) == ""


def test_a_refusal_is_forgotten_once_there_is_room(tmp_path: Path) -> None:
    assert budget(tmp_path, plan(1, fits=False)).objection(LORA)
    again = Budget(RunFolder(tmp_path), lambda _one: plan(1), None)
    assert again.objection(LORA) == ""


def test_a_forecast_is_said_before_it_is_made(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = RunFolder(tmp_path)
    write_json(run.record, {"command": "compare"})

    def forecast(_one: Contender) -> Plan:
        assert "planning lora" in caplog.text
        return plan(1)

    with caplog.at_level("INFO"):
        assert Budget(run, forecast, None).objection(LORA) == ""


def test_nothing_is_planned_after_the_time_limit(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    write_json(run.record, {"command": "compare"})
    planned: list[Contender] = []

    def forecast(one: Contender) -> Plan:
        planned.append(one)
        return plan(1)

    late = Budget(run, forecast, 1.0, started=time.monotonic() - 61)
    assert "--time-limit 1 has passed" in late.objection(LORA)
    assert not planned
