"""Every family of `BACKBONES` describes modules that its models have."""

import pytest
import torch

from peftide.backbones import BACKBONES
from peftide.backbones.loading import ALIASES


def test_every_alias_belongs_to_a_known_family():
    assert {make().model_type for _, make in ALIASES.values()} <= set(BACKBONES)


@pytest.mark.parametrize("alias", sorted(ALIASES))
def test_named_modules_are_matrices_of_the_width_of_the_model(alias: str):
    config = ALIASES[alias][1]()
    config.num_hidden_layers = 2
    architecture = BACKBONES[config.model_type]
    with torch.device("meta"):
        model = architecture.random_model(config)
    for layer in range(2):
        for path in architecture.attention_modules.values():
            module = model.get_submodule(f"{architecture.layer_prefix}.{layer}.{path}")
            assert module.weight.shape == (config.hidden_size, config.hidden_size)


def test_attention_modules_have_the_names_of_the_options():
    for architecture in BACKBONES.values():
        assert set(architecture.attention_modules) == {"query", "key", "value", "output"}
