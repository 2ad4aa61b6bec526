from pathlib import Path
from typing import Any

import pytest

from peftide.adapters import ADAPTERS
from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.config import TrainConfig
from peftide.errors import BackboneError, InputError
from peftide.parameters import trained_parameters
from peftide.planning.stand_in import shape_of, stand_in
from peftide.training.setting import adapt
from tests.conftest import TINY


def config(backbone: str, method: str = "lora", **changes: Any) -> TrainConfig:
    return TrainConfig(task="binary", out=Path("run"), backbone=backbone, method=method, **changes)


@pytest.mark.parametrize("method", ADAPTERS)
def test_a_skeleton_trains_what_the_backbone_would(method: str) -> None:
    options = config(TINY, method)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("peftide.planning.stand_in.MOST_PARAMETERS", 0)
        bones = stand_in(options).whole
    real = load_backbone(TINY)
    adapt(real, options)
    shapes = [
        {name: tuple(p.shape) for name, p in trained_parameters(backbone).items()}
        for backbone in (bones, real)
    ]
    assert shapes[0] == shapes[1]
    assert bones.frozen_layers == real.frozen_layers
    assert all(parameter.is_meta for parameter in bones.parameters())


def test_of_a_large_model_two_layers_are_built_and_all_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("peftide.planning.stand_in.MOST_PARAMETERS", 10_000)
    found = stand_in(config("random:esm2_mini"))  # 3 layers, the last is adapted
    assert (found.backbone.layers, found.whole.layers) == (2, 3)
    assert found.layers_each(is_cut=True) == (2, 1)
    assert found.layers_each(is_cut=False) == (0, 1.5)
    left_out = sum(p.nbytes for name, p in found.whole.named_parameters() if ".layer.0." in name)
    assert found.missing_bytes() == pytest.approx(left_out, rel=1e-3)
    assert any("2 of its 3 layers" in note for note in found.notes)
    whole = stand_in(config("random:esm2_mini", "full"))
    assert whole.layers_each(is_cut=True) == (0, 1.5)


@pytest.mark.parametrize("name", ["esm2_t12_35M", "facebook/esm2_t12_35M_UR50D"])
def test_weights_that_are_not_here_are_stood_in_for_and_nothing_is_downloaded(name: str) -> None:
    settings, notes = shape_of(name, LoadOptions())
    assert (settings.num_hidden_layers, settings.hidden_size) == (12, 480)
    assert f"the weights of {name} are not on this machine" in notes[0]


def test_unknown_backbones_and_shapes_are_refused() -> None:
    with pytest.raises(BackboneError, match="Did you mean esm2_t6_8M"):
        shape_of("esm2_t6_8N", LoadOptions())
    with pytest.raises(BackboneError, match="Did you mean esm2_t6_8M"):
        shape_of("random:esm2_t6_8N", LoadOptions())
    with pytest.raises(BackboneError, match="a plan downloads nothing"):
        shape_of("someone/some_model", LoadOptions())


def test_layers_that_are_not_there_are_refused_for_large_models_too() -> None:
    with pytest.raises(InputError, match="has the layers 0 to 35"):
        stand_in(config("random:esm2_t36_3B", lora_layers="36"))
