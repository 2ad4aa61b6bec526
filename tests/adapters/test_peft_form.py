"""Adapters as files that plain `peft` opens, and back."""

import json
import warnings
from pathlib import Path

import torch
from peft import IA3Config, LoraConfig, PeftModel

from peftide.adapters import ADAPTER_FOLDER
from peftide.adapters.peft_form import (
    ADAPTER_NAME,
    load_adapter,
    put_on,
    quietly,
    save_adapter,
)
from peftide.backbones import Backbone
from peftide.backbones.loading import load_backbone
from tests.conftest import TINY

KEY = "encoder.layer.1.attention.self.key"


def with_lora() -> Backbone:
    backbone = load_backbone(TINY)
    put_on(backbone, LoraConfig(r=2, target_modules=[KEY]))
    return backbone


def trained_names(backbone: Backbone) -> set[str]:
    return {name for name, p in backbone.model.named_parameters() if p.requires_grad}


def test_only_the_adapter_trains_and_it_knows_its_backbone():
    backbone = with_lora()
    matrices = {f"base_model.model.{KEY}.lora_{m}.default.weight" for m in "AB"}
    assert trained_names(backbone) == matrices
    assert backbone.model.peft_config[ADAPTER_NAME].base_model_name_or_path == TINY


def test_a_saved_adapter_is_two_plain_files(tmp_path: Path):
    save_adapter(with_lora(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [ADAPTER_FOLDER]
    names = {path.name for path in (tmp_path / ADAPTER_FOLDER).iterdir()}
    assert names == {"adapter_config.json", "adapter_model.safetensors"}
    config = json.loads((tmp_path / ADAPTER_FOLDER / "adapter_config.json").read_text())
    assert (config["peft_type"], config["r"]) == ("LORA", 2)


def test_a_loaded_adapter_replaces_one_of_another_kind(tmp_path: Path):
    saved = with_lora()
    save_adapter(saved, tmp_path)
    backbone = load_backbone(TINY)
    put_on(backbone, IA3Config(target_modules=[KEY], feedforward_modules=[]))
    load_adapter(backbone, tmp_path)
    assert isinstance(backbone.model, PeftModel)
    first, second = saved.model.state_dict(), backbone.model.state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_other_warnings_are_heard():
    with warnings.catch_warnings(record=True) as heard, quietly():
        warnings.simplefilter("always")
        warnings.warn("something else", RuntimeWarning, stacklevel=1)
    assert [str(warning.message) for warning in heard] == ["something else"]
