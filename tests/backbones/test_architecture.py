"""Every family of `BACKBONES` describes modules that its models have."""

from typing import Any

import pytest
import torch

from peftide.backbones import BACKBONES
from peftide.backbones.names import ALIASES
from peftide.errors import BackboneError


def test_every_alias_belongs_to_a_known_family():
    assert {make().model_type for _, make in ALIASES.values()} == set(BACKBONES)


@pytest.mark.parametrize("alias", sorted(ALIASES))
def test_named_modules_read_and_write_the_width_of_the_model(alias: str):
    config = ALIASES[alias][1]()
    config.num_hidden_layers = 2
    architecture = BACKBONES[config.model_type]
    with torch.device("meta"):
        model = architecture.random_model(config)
    for layer in range(2):
        for name, path in architecture.attention_modules.items():
            module: Any = model.get_submodule(f"{architecture.layer_prefix}.{layer}.{path}")
            assert module.weight.shape[0 if name == "output" else 1] == config.hidden_size


def test_attention_modules_have_the_names_of_the_options():
    for architecture in BACKBONES.values():
        assert set(architecture.attention_modules) == {"query", "key", "value", "output"}


def test_only_esm_is_pretrained_and_others_say_so():
    for family, architecture in BACKBONES.items():
        if family == "esm":
            assert architecture.pretrainable() is architecture.masked_language_model
        else:
            with pytest.raises(BackboneError, match="cannot pretrain .* model type esm"):
                architecture.pretrainable()
