from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from peftide import config as config_package
from peftide.config import (
    AuditConfig,
    PredictConfig,
    RunOptions,
    SplitConfig,
    TableOptions,
    TrainConfig,
    from_mapping,
)
from peftide.config.options import CommonOptions, DeviceOptions, LoadingOptions, option
from peftide.errors import InputError

MODEL_OPTIONS = {"device", "precision", "max_tokens", "allow_bin"}


def names(config_class: type) -> set[str]:
    return {field.name for field in fields(config_class)}


def test_options_of_a_model_are_those_that_only_running_one_needs() -> None:
    running = names(RunOptions) | names(LoadingOptions)
    assert running - names(CommonOptions) == MODEL_OPTIONS | {"offline"}
    assert names(DeviceOptions) - names(CommonOptions) == {"device", "precision"}


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


def test_only_a_training_measures_its_token_budget() -> None:
    assert from_mapping(TrainConfig, {"out": "run", "max_tokens": "measured"})
    for budget in ("auto", "512"):
        assert from_mapping(PredictConfig, {"run": "run", "input": "a.tsv", "max_tokens": budget})
    with pytest.raises(InputError, match=r"--max-tokens.*'measured'"):
        from_mapping(PredictConfig, {"run": "run", "input": "a.tsv", "max_tokens": "measured"})


def test_numbers_out_of_range_are_named_beside_other_mistakes() -> None:
    values = {"out": "run", "epochs": 0, "seed": -1, "head_dropout": "many", "epoch": 3}
    with pytest.raises(InputError) as caught:
        from_mapping(TrainConfig, values)
    said = str(caught.value)
    assert "--epochs: received 0; expected 1 or more" in said
    assert "--seed: received -1" in said
    assert "--head-dropout: received 'many'; expected a number" in said
    assert "Did you mean epochs" in said


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_config_refuses_numbers_out_of_range(value: float) -> None:
    with pytest.raises(InputError, match=r"--max-grad-norm: received .*; expected"):
        TrainConfig(out=Path("run"), max_grad_norm=value)
