import pytest
import torch

from peftide.adapters import ADAPTERS, AdapterOptions
from peftide.backbones import Backbone
from peftide.backbones.layers import frozen_layers, only_layers
from peftide.backbones.loading import load_backbone
from tests.conftest import random_sequences, randomise

SEQUENCES = random_sequences(4)
ALIAS = "random:esm2_t6_8M"


def adapted(method: str, *, layers: str = "all") -> Backbone:
    backbone = load_backbone(ALIAS)
    ADAPTERS[method].apply(backbone, AdapterOptions(layers=layers))
    return backbone


@pytest.mark.parametrize(
    ("method", "layers", "frozen"),
    [
        ("head", "all", 6),
        ("full", "all", 0),
        ("lora", "all", 0),
        ("lora", "last_quarter", 4),
        ("lora", "2,5", 2),
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
    ADAPTERS["lora"].apply(backbone, AdapterOptions(layers="2,10"))
    assert backbone.frozen_layers == 2
    assert frozen_layers(backbone.model, "encoder.layer") == 2


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("layers", [1, 4, 5])
def test_upper_layers_on_the_states_of_lower_ones_equal_the_whole(method: str, layers: int) -> None:
    backbone = adapted(method, layers="all").eval()
    randomise(backbone, std=0.1)
    whole = backbone.pack(SEQUENCES, max_length=None)
    with torch.no_grad():
        states = backbone.hidden_states(whole, layers)
        upper = backbone(type(whole)(**vars(whole) | {"hidden": states, "layers_done": layers}))
        assert torch.equal(upper, backbone(whole))
        assert not torch.allclose(states, upper)


def test_the_layers_are_back_after_an_error() -> None:
    backbone = adapted("head")

    def fail() -> None:
        with only_layers(backbone.model, "encoder.layer", slice(2)) as lower:
            assert len(lower) == 2
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert backbone.frozen_layers == 6
