from dataclasses import dataclass, fields

import pytest

from peftide import config as config_package
from peftide.config import (
    AuditConfig,
    CommonOptions,
    RunOptions,
    SplitConfig,
    TableOptions,
    from_mapping,
)
from peftide.config.options import option
from peftide.errors import InputError

MODEL_OPTIONS = {"device", "precision", "max_tokens", "offline", "allow_bin"}


def names(config_class: type) -> set[str]:
    return {field.name for field in fields(config_class)}


def test_options_of_a_model_are_those_that_only_running_one_needs() -> None:
    assert names(RunOptions) - names(CommonOptions) == MODEL_OPTIONS


@pytest.mark.parametrize("config_class", [AuditConfig, SplitConfig, TableOptions])
def test_commands_without_a_model_do_not_take_its_options(config_class: type) -> None:
    assert not names(config_class) & MODEL_OPTIONS
    assert names(config_class) >= names(CommonOptions)


@pytest.mark.parametrize("name", ["EmbedConfig", "EvaluateConfig", "PredictConfig", "TrainConfig"])
def test_commands_with_a_model_take_them(name: str) -> None:
    assert names(getattr(config_package, name)) >= MODEL_OPTIONS


def test_an_option_without_default_is_required() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Options:
        place: str = option(doc="somewhere")
        count: int = option(3, doc="how many", positional=True)

    with pytest.raises(TypeError, match="place"):
        Options()
    assert Options(place="x").count == 3
    assert {f.name: f.metadata["doc"] for f in fields(Options)} == {
        "place": "somewhere",
        "count": "how many",
    }


def test_values_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(InputError, match="threads"):
        from_mapping(RunOptions, {"threads": "many"})
