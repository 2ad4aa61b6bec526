"""(IA)³ multiplies keys, values and feed-forward channels, and nothing else."""

from pathlib import Path

import torch
from peft.tuners.ia3 import IA3Layer

from peftide.adapters.ia3 import IA3
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions


def test_exactly_keys_values_and_feed_forward_outputs_are_adapted(esm2_folder: Path):
    backbone = load_backbone(str(esm2_folder))
    IA3.apply(backbone, MethodOptions(lora_layers="1"))
    layer = "base_model.model.encoder.layer.1"
    modules = backbone.model.named_modules()
    assert {name for name, module in modules if isinstance(module, IA3Layer)} == {
        f"{layer}.attention.self.key",
        f"{layer}.attention.self.value",
        f"{layer}.output.dense",
    }
    # one factor per channel: 32 keys, 32 values, 4 · 32 in the feed-forward block
    trained = [p.numel() for p in backbone.model.parameters() if p.requires_grad]
    assert sorted(trained) == [32, 32, 128]


def test_the_factors_multiply_what_leaves_a_key_and_what_enters_the_feed_forward_output(
    esm2_folder: Path,
):
    backbone = load_backbone(str(esm2_folder))
    IA3.apply(backbone, MethodOptions(lora_layers="0"))
    layer = backbone.model.base_model.model.get_submodule("encoder.layer.0")
    for path, width, enters in (("attention.self.key", 32, False), ("output.dense", 128, True)):
        module = layer.get_submodule(path)
        factors = torch.randn(width)
        with torch.no_grad():
            module.ia3_l["default"].copy_(factors.reshape(module.ia3_l["default"].shape))
        x = torch.randn(5, module.in_features)
        base = module.get_base_layer()
        by_hand = base(x * factors) if enters else base(x) * factors
        torch.testing.assert_close(module(x), by_hand)
