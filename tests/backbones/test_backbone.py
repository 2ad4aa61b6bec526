"""A backbone needs no layers; code that needs them gets them or one clear error."""

from typing import Any

import pytest

from peftide.adapters import ADAPTERS
from peftide.backbones import Backbone, LayeredBackbone, cut_below_training, layers_of
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions
from peftide.errors import InputError
from tests.backbones.conftest import Recurrent
from tests.conftest import TINY

ALIAS = "random:esm2_t6_8M"


def adapted(method: str, *, layers: str = "all") -> LayeredBackbone:
    backbone = load_backbone(ALIAS)
    ADAPTERS[method].apply(backbone, MethodOptions(lora_layers=layers))
    return backbone


@pytest.mark.parametrize(
    ("method", "layers", "frozen"),
    [
        ("head", "all", 6),
        ("full", "all", 0),
        ("lora", "all", 0),
        ("lora", "last_quarter", 4),
        ("lora", "2,5", 2),
        ("last_k", "last:1", 5),
    ],
)
def test_frozen_layers_are_those_below_everything_that_trains(
    method: str, layers: str, frozen: int
) -> None:
    assert adapted(method, layers=layers).frozen_layers == frozen


def test_a_trained_parameter_outside_the_layers_leaves_none_frozen() -> None:
    backbone = adapted("lora", layers="5")
    base = backbone.model.get_base_model()
    base.embeddings.word_embeddings.weight.requires_grad_(True)
    assert backbone.frozen_layers == 0


def test_layer_ten_is_above_layer_two() -> None:
    backbone = load_backbone("random:esm2_t12_35M")
    ADAPTERS["lora"].apply(backbone, MethodOptions(lora_layers="2,10"))
    assert backbone.frozen_layers == 2


def test_the_last_layer_always_runs() -> None:
    assert cut_below_training(adapted("head")) == 5
    assert cut_below_training(adapted("lora", layers="3")) == 3
    assert cut_below_training(Recurrent()) == 0


def test_a_backbone_without_layers_cannot_give_them() -> None:
    layered = load_backbone(TINY)
    assert layers_of(layered, where="--method", fix="") is layered
    with pytest.raises(InputError, match="lab/recurrent has no layers") as caught:
        layers_of(Recurrent(), where="--lora-layers", fix="Leave it out")
    assert (caught.value.where, caught.value.fix) == ("--lora-layers", "Leave it out")


def test_what_every_backbone_must_have_is_asked_for_at_once() -> None:
    class Incomplete(Backbone):
        pass

    kind: Any = Incomplete
    with pytest.raises(TypeError, match="abstract"):
        kind()
