import pandas as pd
import pytest

from peftide.run_folder import RunFolder
from peftide.training.fitting import build_fitting, row_source, run_fit
from peftide.training.setting import find_adapter
from tests.training.conftest import Build


@pytest.mark.parametrize(("method", "encodes"), [("head", False), ("lora", True)])
def test_only_a_backbone_that_trains_is_encoded_in_steps(
    build: Build, method: str, *, encodes: bool
) -> None:
    setting, _, _ = build("ppi", method)
    assert (row_source(setting).budget < float("inf")) is encodes


def test_the_rate_is_the_methods_unless_it_is_given(build: Build) -> None:
    lora = find_adapter("lora")
    for given, expected in ((None, lora.learning_rate), (0.5, 0.5)):
        setting, _, config = build("ppi", "lora", learning_rate=given)
        fitting = build_fitting(setting, lora, RunFolder(config.out))
        assert fitting.learning_rate == expected


def test_a_backbone_may_need_lower_rates(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    lora = find_adapter("lora")
    for given, expected in ((None, lora.learning_rate / 4), (0.5, 0.5)):
        setting, _, config = build("ppi", "lora", learning_rate=given)
        monkeypatch.setattr(type(setting.model.backbone), "learning_rate_factor", 0.25)
        fitting = build_fitting(setting, lora, RunFolder(config.out))
        assert fitting.learning_rate == expected


def test_a_fit_writes_its_history(build: Build) -> None:
    setting, _, config = build("regression", "head", epochs=2)
    folder = RunFolder(config.out)
    result = run_fit(setting, find_adapter("head"), folder)
    assert pd.read_csv(folder.history)["epoch"].tolist() == [1, 2]
    assert len(result.history) == 2
