"""DoRA by hand."""

from pathlib import Path

import torch

from peftide.adapters.dora import DORA
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions


def test_dora_trains_lengths_apart_from_directions(esm2_folder: Path):
    """Each row of W + BA is brought to a length that trains (Eq. 5 of the paper)."""
    options = MethodOptions(lora_r=4, lora_alpha=12, lora_dropout=0.0, lora_layers="1")
    backbone = load_backbone(str(esm2_folder))
    DORA.apply(backbone, options)
    module = backbone.model.base_model.model.get_submodule("encoder.layer.1.attention.self.key")
    length = module.lora_magnitude_vector["default"].weight
    base = module.base_layer
    torch.testing.assert_close(length, base.weight.norm(dim=1))
    b = module.lora_B["default"].weight
    with torch.no_grad():
        b.normal_()
        length.mul_(1.5)
    whole = base.weight + 3 * b @ module.lora_A["default"].weight
    x = torch.randn(5, 32)
    by_hand = x @ (length[:, None] * whole / whole.norm(dim=1, keepdim=True)).T + base.bias
    torch.testing.assert_close(module(x), by_hand, atol=1e-5, rtol=1e-5)
