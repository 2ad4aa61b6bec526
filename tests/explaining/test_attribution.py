import numpy as np
import pytest

from peftide.errors import InputError
from peftide.explaining.attribution import (
    ATTRIBUTIONS,
    default_attribution,
    integrated,
    occlusion,
    path_gradients,
)
from peftide.explaining.scoring import masked, scores
from peftide.explaining.subjects import read_subjects
from tests.explaining.conftest import Opened

TASKS = ("ppi", "regression", "multiclass", "residue")


def test_occlusion_is_the_fall_of_the_prediction(opened: Opened) -> None:
    predictor, subjects = opened("ppi", partner="a")
    one = subjects[0]
    pairs = [(masked(one.sequence, [k]), one.others[0]) for k in range(len(one.sequence))]
    hidden = predictor.predict(pairs)["score"].to_numpy()
    whole = predictor.predict([(one.sequence, one.others[0])])["score"].to_numpy()
    np.testing.assert_allclose(occlusion(predictor, one), whole - hidden, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_integrated_gradients_add_up_to_the_fall_of_the_score(opened: Opened, task: str) -> None:
    predictor, subjects = opened(task)
    one = subjects[0]
    found = integrated(predictor, one)
    assert found.shape == (len(one.sequence),)
    whole, hidden = scores(predictor, one, [one.sequence, "X" * len(one.sequence)])
    assert found.sum() == pytest.approx(whole - hidden, rel=0.05, abs=0.002)


def test_sixteen_steps_are_enough(opened: Opened) -> None:
    predictor, subjects = opened("regression")
    fine = path_gradients(predictor, subjects[0], (np.arange(64) + 0.5) / 64)
    coarse = integrated(predictor, subjects[0])
    np.testing.assert_allclose(coarse, fine, atol=0.05 * np.abs(fine).max())


def test_a_hidden_residue_contributes_nothing(opened: Opened) -> None:
    predictor, _ = opened("regression")
    (one,) = read_subjects(predictor, predictor.read(["MKXVLAWG"]))
    for name, method in ATTRIBUTIONS.items():
        found = method(predictor, one)
        assert found[2] == pytest.approx(0, abs=1e-6), name
        assert np.abs(found).max() > 1e-5, name


def test_a_network_without_layers_is_occluded(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor, subjects = opened("regression")
    assert default_attribution(predictor) == "integrated"
    monkeypatch.setattr("peftide.explaining.attribution.LayeredBackbone", int)
    monkeypatch.setattr("peftide.backbones.backbone.LayeredBackbone", int)
    assert default_attribution(predictor) == "occlusion"
    with pytest.raises(InputError, match="--attribution occlusion"):
        integrated(predictor, subjects[0])
