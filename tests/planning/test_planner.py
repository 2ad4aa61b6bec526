from dataclasses import asdict
from pathlib import Path

import pytest

from peftide.cli.plan import SUMS
from peftide.config import PlanConfig, as_mapping, from_mapping
from peftide.config.commands import TrainConfig
from peftide.planning.planner import make_plan
from tests.conftest import small_config


def plan_config(config: TrainConfig) -> PlanConfig:
    return from_mapping(PlanConfig, as_mapping(config))


@pytest.mark.parametrize(
    ("task", "method"), [("ppi", "lora"), ("residue", "head"), ("variants", "head")]
)
def test_a_plan_adds_up_and_writes_nothing(tmp_path: Path, task: str, method: str) -> None:
    config = small_config(tmp_path, task, method, embedding_cache=tmp_path / "cache")
    before = set(tmp_path.rglob("*"))
    plan = make_plan(plan_config(config))
    assert set(tmp_path.rglob("*")) == before
    pieces = sum(value for name, value in plan.seconds.items() if name not in SUMS)
    assert plan.seconds["total"] == pytest.approx(pieces, abs=0.5)
    assert plan.memory["peak"] == max(plan.memory.values())
    assert plan.fits
    assert not plan.advice
    assert plan.request["rows"] == {"train": 24, "validation": 8, "test": 8}
    assert asdict(plan)["machine"]["device"] == "cpu"


def test_too_little_memory_is_said_with_what_would_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 10**6  # of bytes: no plan fits
    monkeypatch.setattr("peftide.planning.planner.machine_memory", lambda _device: (free, free))
    plan = make_plan(plan_config(small_config(tmp_path, "regression", "full")))
    assert not plan.fits
    assert plan.advice[-1] == "a machine or GPU with more memory"
