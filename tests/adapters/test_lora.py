"""LoRA beside the named matrices only, in files that plain `peft` opens."""

import json
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file

from peftide.adapters import ADAPTER_FOLDER
from peftide.adapters.lora import LORA, RSLORA
from peftide.adapters.targets import module_names
from peftide.backbones import BACKBONES, LayeredBackbone, Origin, TransformerBackbone
from peftide.backbones.esm import esm_config, esm_tokenizer, random_esm
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions
from peftide.tokens import read_vocabulary
from tests.conftest import padded_forward, plain_model, random_sequences

SEQUENCES = random_sequences(6)


def lora_backbone(folder: Path, options: MethodOptions | None = None) -> LayeredBackbone:
    """Return a backbone with LoRA whose matrices are no longer at their start."""
    backbone = load_backbone(str(folder))
    LORA.apply(backbone, options or MethodOptions(lora_layers="all"))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in backbone.parameters():
            if parameter.requires_grad:
                parameter.normal_(std=0.2, generator=generator)
    return backbone.eval()


def vectors(backbone: LayeredBackbone) -> torch.Tensor:
    with torch.no_grad():
        return backbone(backbone.pack(SEQUENCES, max_length=None))


def of_twelve_layers() -> TransformerBackbone:
    architecture = BACKBONES["esm"]
    return TransformerBackbone(
        random_esm(esm_config(12, 8, 2)),
        architecture=architecture,
        vocabulary=read_vocabulary(esm_tokenizer(None)),
        origin=Origin("random:x", "esm", None, ""),
    )


def adapted_modules(backbone: LayeredBackbone) -> set[str]:
    return {
        name.removeprefix("base_model.model.")
        for name, module in backbone.model.named_modules()
        if isinstance(module, LoraLayer)
    }


@pytest.mark.parametrize("layers", ["all", "last_quarter", "1", "0,11", "last:11"])
@pytest.mark.parametrize("targets", [("key", "value"), ("output",), ("query", "key", "output")])
def test_exactly_the_named_modules_are_adapted(layers: str, targets: tuple[str, ...]):
    backbone = of_twelve_layers()
    wanted = set(module_names(backbone, targets=targets, layers=layers))
    LORA.apply(backbone, MethodOptions(lora_targets=targets, lora_layers=layers))
    assert adapted_modules(backbone) == wanted


def test_options_reach_peft(esm2_folder: Path):
    options = MethodOptions(lora_r=3, lora_alpha=12, lora_dropout=0.25, lora_layers="1")
    backbone = lora_backbone(esm2_folder, options)
    config = backbone.model.peft_config["default"]
    assert (config.r, config.lora_alpha, config.lora_dropout) == (3, 12, 0.25)
    assert (config.bias, config.base_model_name_or_path) == ("none", str(esm2_folder))


def test_the_update_is_alpha_over_r_times_b_a(esm2_folder: Path):
    options = MethodOptions(lora_r=4, lora_alpha=12, lora_targets=("value",), lora_layers="1")
    backbone = lora_backbone(esm2_folder, options)
    name = "encoder.layer.1.attention.self.value"
    layer = backbone.model.base_model.model.get_submodule(name)
    x = torch.randn(5, 32)
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    by_hand = layer.base_layer(x) + 3 * (x @ a.T) @ b.T
    torch.testing.assert_close(layer(x), by_hand)


@pytest.mark.parametrize("folder", ["esm2_folder", "esm1b_folder"])
def test_plain_peft_opens_the_adapter_and_gives_the_same_vectors(
    folder: str, tmp_path: Path, request: pytest.FixtureRequest
):
    checkpoint = request.getfixturevalue(folder)
    backbone = lora_backbone(checkpoint)
    LORA.save(backbone, tmp_path)
    model = PeftModel.from_pretrained(plain_model(checkpoint), str(tmp_path / ADAPTER_FOLDER))
    found = torch.cat(padded_forward(model.eval(), SEQUENCES))
    torch.testing.assert_close(found, vectors(backbone), atol=1e-5, rtol=0)
    without = torch.cat(padded_forward(plain_model(checkpoint), SEQUENCES))
    assert (found - without).abs().max() > 0.1


def test_the_file_holds_the_lora_matrices_only(esm2_folder: Path, tmp_path: Path):
    LORA.save(lora_backbone(esm2_folder, MethodOptions(lora_layers="1")), tmp_path)
    prefix = "base_model.model.encoder.layer.1.attention.self"
    assert set(load_file(tmp_path / ADAPTER_FOLDER / "adapter_model.safetensors")) == {
        f"{prefix}.{target}.lora_{matrix}.weight" for target in ("key", "value") for matrix in "AB"
    }


def test_the_folder_is_small_and_plain(esm2_folder: Path, tmp_path: Path):
    LORA.save(lora_backbone(esm2_folder), tmp_path)
    names = {path.name for path in (tmp_path / ADAPTER_FOLDER).iterdir()}
    assert names == {"adapter_config.json", "adapter_model.safetensors"}
    config = json.loads((tmp_path / ADAPTER_FOLDER / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(esm2_folder)


def test_merging_keeps_the_vectors(esm2_folder: Path):
    backbone = lora_backbone(esm2_folder)
    before = vectors(backbone)
    backbone.model = backbone.model.merge_and_unload()
    torch.testing.assert_close(vectors(backbone), before, atol=1e-5, rtol=0)
    assert (vectors(load_backbone(str(esm2_folder))) - before).abs().max() > 0.1


def test_loading_replaces_an_adapter_that_is_there(esm2_folder: Path, tmp_path: Path):
    backbone = lora_backbone(esm2_folder)
    expected = vectors(backbone)
    LORA.save(backbone, tmp_path)
    with torch.no_grad():
        for parameter in backbone.parameters():
            if parameter.requires_grad:
                parameter.add_(1)
    LORA.load(backbone, tmp_path)
    assert torch.equal(vectors(backbone.eval()), expected)
    assert list(backbone.model.peft_config) == ["default"]


def test_rslora_divides_by_the_root_of_the_rank(esm2_folder: Path):
    backbone = load_backbone(str(esm2_folder))
    RSLORA.apply(backbone, MethodOptions(lora_r=4, lora_alpha=12, lora_layers="1"))
    layers = [module for module in backbone.model.modules() if isinstance(module, LoraLayer)]
    assert [layer.scaling["default"] for layer in layers] == [6.0, 6.0]
