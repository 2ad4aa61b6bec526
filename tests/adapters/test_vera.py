"""VeRA trains two vectors per matrix around one random pair."""

from pathlib import Path

import torch
from safetensors.torch import load_file

from peftide.adapters import ADAPTER_FOLDER
from peftide.adapters.vera import RANK, VERA
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions


def test_the_update_is_scaled_random_matrices(esm2_folder: Path):
    backbone = load_backbone(str(esm2_folder))
    VERA.apply(backbone, MethodOptions(lora_dropout=0.0, lora_layers="1"))
    module = backbone.model.base_model.model.get_submodule("encoder.layer.1.attention.self.key")
    left, right = module.vera_lambda_b["default"], module.vera_lambda_d["default"]
    assert torch.equal(left, torch.zeros(32))
    assert right.shape == (RANK,)
    with torch.no_grad():
        left.normal_()
        right.normal_()
    a, b = module.vera_A["default"], module.vera_B["default"]
    x = torch.randn(5, 32)
    by_hand = module.base_layer(x) + (x @ a.T * right) @ b.T * left
    torch.testing.assert_close(module(x), by_hand)


def test_the_random_pair_is_one_for_all_and_is_saved_once(esm2_folder: Path, tmp_path: Path):
    backbone = load_backbone(str(esm2_folder))
    VERA.apply(backbone, MethodOptions(lora_layers="all"))
    VERA.save(backbone, tmp_path)
    saved = load_file(tmp_path / ADAPTER_FOLDER / "adapter_model.safetensors")
    shapes = {name: tuple(t.shape) for name, t in saved.items() if "lambda" not in name}
    assert shapes == {"base_model.vera_A": (RANK, 32), "base_model.vera_B": (32, RANK)}
    assert len(saved) == 2 + 2 * 4
