from dataclasses import fields

from peftide.config import SweepConfig, TrainConfig


def test_a_sweep_has_every_option_of_a_training() -> None:
    own = {item.name for item in fields(SweepConfig)}
    assert {item.name for item in fields(TrainConfig)} <= own
    assert own - {item.name for item in fields(TrainConfig)} == {
        *("space", "trials", "search", "prune", "storage", "study"),
    }
