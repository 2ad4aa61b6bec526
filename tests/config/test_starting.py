import pytest

from peftide.config import CompletionConfig, InitConfig, TrainConfig, from_mapping
from peftide.errors import InputError


def test_defaults_are_those_of_a_training() -> None:
    config = InitConfig(task="pair_regression")
    assert config.task == "pair-regression"
    defaults = vars(TrainConfig(out=config.out))
    for name in ("method", "backbone", "data", "sequences"):
        assert getattr(config, name) == defaults[name]


def test_a_shell_is_one_of_three() -> None:
    with pytest.raises(InputError, match="expected one of bash, zsh, fish"):
        from_mapping(CompletionConfig, {"shell": "tcsh"})
