from pathlib import Path

import peftide
from peftide.config import PlanConfig, as_mapping, from_mapping
from tests.conftest import small_config


def test_a_plan_comes_from_a_process_of_its_own(tmp_path: Path) -> None:
    config = small_config(tmp_path, "regression", "lora")
    plan = peftide.plan(from_mapping(PlanConfig, as_mapping(config)))
    assert plan.fits
    assert 0 < plan.parameters["trained"] < plan.parameters["total"]
    assert isinstance(plan.notes, tuple)
