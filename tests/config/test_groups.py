import dataclasses

import pytest

from peftide.config import TrainConfig, groups
from peftide.config.groups import (
    DataOptions,
    EngineOptions,
    EvaluationOptions,
    MethodOptions,
    ModelOptions,
    OptimizerOptions,
)
from peftide.config.options import CommonOptions
from peftide.errors import InputError

GROUPS = [
    DataOptions,
    ModelOptions,
    MethodOptions,
    OptimizerOptions,
    EngineOptions,
    EvaluationOptions,
]


def own_names(group: type) -> set[str]:
    shared = {field.name for field in dataclasses.fields(CommonOptions)}
    return {field.name for field in dataclasses.fields(group)} - shared


def test_no_option_is_in_two_groups_and_none_is_without_one() -> None:
    names = [name for group in GROUPS for name in own_names(group)]
    assert len(names) == len(set(names))
    common = {field.name for field in dataclasses.fields(CommonOptions)}
    assert own_names(TrainConfig) - set(names) == {"out", "resume", "seed", "title"}
    assert common <= {field.name for field in dataclasses.fields(TrainConfig)}


def test_every_group_of_the_module_is_known_here() -> None:
    found = {
        value
        for value in vars(groups).values()
        if isinstance(value, type) and value.__module__ == groups.__name__
    }
    assert found == set(GROUPS)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_has_a_heading_and_no_required_option(group: type[CommonOptions]) -> None:
    assert group.heading != "options"
    assert dataclasses.is_dataclass(group())


def test_a_group_alone_refuses_wrong_values() -> None:
    with pytest.raises(InputError, match=r"--head-dropout: received 2.0; expected"):
        ModelOptions(head_dropout=2.0)
    with pytest.raises(InputError, match=r"--trunk-gb"):
        EngineOptions(trunk_gb=-1.0)
