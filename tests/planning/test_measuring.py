from pathlib import Path

import pytest

from peftide.backbones.loading import load_backbone
from peftide.bundle import build_model
from peftide.model import count_parameters
from peftide.training.setting import adapt, recipe_of
from tests.planning.conftest import Begin


@pytest.mark.parametrize("method", ["head", "pissa"])
def test_a_measurement_is_complete(begin: Begin, tmp_path: Path, method: str) -> None:
    begun = begin("regression", method)
    found = begun.measure(tmp_path / "scratch")
    backbone = load_backbone(begun.config.backbone)
    adapt(backbone, begun.config)
    model = build_model(recipe_of(begun.config), begun.setting.problem.labels, backbone)
    assert found.parameters == count_parameters(model)
    assert found.sizes.trained == 4 * found.parameters["trained"]
    assert found.costs.scoring.cpu > 0
    assert found.costs.saving.cpu > 0
    assert bool(found.costs.graph.coefficients.any()) == (method != "head")
    assert (found.sizes.graph > 0) == (method != "head")
    assert found.graph_layers == {"head": 2, "pissa": 1}[method]


def test_left_out_layers_are_counted_in(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peftide.planning.stand_in.MOST_PARAMETERS", 1000)
    begun = begin("regression", "full", backbone="random:esm2_mini")
    found = begun.measure(tmp_path / "scratch")
    assert begun.setting.model.backbone.layers == 2
    assert found.weight_bytes == 4 * 3_710_096  # as mini, which has its shape
    # but for what never trains: of the contact head 61 numbers
    assert found.parameters["total"] - found.parameters["trained"] == 16
    assert found.sizes.trained == 4 * found.parameters["trained"]
