"""PiSSA equals peft's own, without touching the base, and ends as plain LoRA."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file

from peftide.adapters import ADAPTER_FOLDER
from peftide.adapters.pissa import PISSA, lora_layers, principal
from peftide.backbones import Backbone
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions
from peftide.errors import InputError
from tests.conftest import TINY, padded_forward, plain_model, random_sequences

SEQUENCES = random_sequences(5)
OPTIONS = MethodOptions(lora_r=3, lora_alpha=12, lora_dropout=0.0, lora_layers="all")
TARGETS = ["attention.self.key", "attention.self.value"]


def pissa_backbone(folder: Path) -> Backbone:
    backbone = load_backbone(str(folder))
    PISSA.apply(backbone, OPTIONS)
    return backbone.eval()


def vectors(backbone: Backbone) -> torch.Tensor:
    with torch.no_grad():
        return backbone(backbone.pack(SEQUENCES, max_length=None))


def test_the_start_is_the_best_approximation_of_its_rank():
    """Reference: numpy's singular values; what is left has the remaining ones (Eckart–Young)."""
    weight = torch.randn(7, 5, generator=torch.Generator().manual_seed(1))
    a, b = principal(weight, 2, 1.5)
    assert (a.shape, b.shape) == ((2, 5), (7, 2))
    rest = np.linalg.svd((weight - 1.5 * b @ a).numpy(), compute_uv=False)
    expected = np.linalg.svd(weight.numpy(), compute_uv=False)[2:]
    np.testing.assert_allclose(rest[:3], expected, atol=1e-5)


@pytest.mark.parametrize("trained", [False, True])
def test_it_computes_what_pefts_own_pissa_computes(esm2_folder: Path, trained: bool):
    """`peft` changes the base; here it stays. Both get the same trained matrices."""
    backbone = pissa_backbone(esm2_folder)
    config = LoraConfig(
        r=3, lora_alpha=12, target_modules=TARGETS, init_lora_weights="pissa", bias="none"
    )
    reference = get_peft_model(plain_model(esm2_folder), config).eval()
    generator = torch.Generator().manual_seed(2)
    parameters = dict(reference.named_parameters())
    with torch.no_grad():
        for name, parameter in backbone.model.named_parameters():
            if parameter.requires_grad:
                noise = torch.randn(parameter.shape, generator=generator) if trained else 0
                parameter.add_(0.2 * noise)
                parameters[name].add_(0.2 * noise)
    expected = torch.cat(padded_forward(reference, SEQUENCES))
    torch.testing.assert_close(vectors(backbone), expected, atol=2e-5, rtol=0)


def test_the_base_is_left_as_it_is(esm2_folder: Path):
    plain = plain_model(esm2_folder).state_dict()
    for name, layer in lora_layers(pissa_backbone(esm2_folder)).items():
        kept = layer.get_base_layer().weight
        assert torch.equal(kept, plain[name.removeprefix("base_model.model.") + ".weight"])


def test_it_ends_as_plain_lora_of_twice_the_rank(esm2_folder: Path, tmp_path: Path):
    backbone = pissa_backbone(esm2_folder)
    PISSA.finish(backbone)
    PISSA.save(backbone, tmp_path)
    config = json.loads((tmp_path / ADAPTER_FOLDER / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["init_lora_weights"]) == (6, 24, True)
    saved = load_file(tmp_path / ADAPTER_FOLDER / "adapter_model.safetensors")
    shapes = {tuple(tensor.shape) for tensor in saved.values()}
    assert (len(saved), shapes) == (8, {(6, 32), (32, 6)})


def test_a_rank_above_the_width_is_refused():
    with pytest.raises(InputError, match="--lora-r: received 33; expected at most 32"):
        PISSA.apply(load_backbone(TINY), MethodOptions(lora_r=33))
