from dataclasses import fields
from pathlib import Path

from peftide.config import CompareConfig, TrainConfig
from peftide.config.comparing import PRESETS, training_options


def test_a_training_gets_every_option_of_a_training() -> None:
    config = CompareConfig(out=Path("a"), task="ppi", epochs=3, head_width=7)
    found = training_options(config, method="head", seed=4)
    assert type(found) is TrainConfig
    assert (found.epochs, found.head_width, found.method, found.seed) == (3, 7, "head", 4)


def test_each_seed_of_a_comparison_is_a_training_of_its_own() -> None:
    assert training_options(CompareConfig(out=Path("a"), seeds=3), out=Path("b")).seeds == 1


def test_presets_set_options_of_a_training() -> None:
    known = {item.name for item in fields(TrainConfig)}
    assert all(set(budget) <= known for budget in PRESETS.values())
