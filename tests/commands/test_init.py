from dataclasses import fields
from pathlib import Path

import pytest

import peftide
from peftide.commands.init import LEFT_OUT
from peftide.config import InitConfig, TrainConfig, from_mapping, read_yaml
from peftide.tasks import TASKS
from peftide.training.options import check_names, check_options

NAMES = {field.name for field in fields(TrainConfig)}
ONE_OF_TWO = {"train", "validation", "base_bits"}
"""Options beside which others are refused, or that need a GPU."""


@pytest.mark.parametrize("method", ["lora", "head", "full"])
@pytest.mark.parametrize("task", TASKS)
def test_every_line_is_an_option_that_the_task_reads(task: str, method: str) -> None:
    path = peftide.init(InitConfig(task=task, method=method, out=Path("a.yaml")))
    config = from_mapping(TrainConfig, read_yaml(path))
    assert (config.task, config.method, config.out) == (task, method, Path("a_run"))
    # remove the mark of every comment that is an option
    text = path.read_text().splitlines()
    marked = [line[1:] for line in text if line[:1] == "#" and line[1:].split(":")[0] in NAMES]
    named = {line.split(":")[0] for line in marked}
    path.write_text("\n".join([*(line for line in text if line[:1] != "#"), *marked]))
    whole = from_mapping(TrainConfig, read_yaml(path))
    assert whole == config
    check_names(whole)
    check_options(whole, TASKS[task], given=frozenset(named))
    assert not named & LEFT_OUT


def test_without_a_task_every_option_is_there() -> None:
    path = peftide.init(InitConfig(out=Path("a.yaml"), data=Path("t.tsv")))
    text = path.read_text()
    assert not [name for name in NAMES - LEFT_OUT if f"\n{name}: " not in text.replace("#", "")]
    assert from_mapping(TrainConfig, read_yaml(path)).sequences is None
