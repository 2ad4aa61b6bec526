import torch

from peftide.adapters.lora_fa import apply_lora_fa
from peftide.backbones.loading import load_backbone
from peftide.config import MethodOptions
from peftide.parameters import trained_parameters
from tests.conftest import TINY


def test_b_trains_and_a_is_random_and_frozen() -> None:
    """Rank 4 on key and value of both layers: 4 times 32 × 4 numbers; A takes as many."""
    backbone = load_backbone(TINY)
    apply_lora_fa(backbone, MethodOptions(lora_r=4, lora_layers="all"))
    trained = trained_parameters(backbone.model)
    assert sum(p.numel() for p in trained.values()) == 4 * 32 * 4
    assert all("lora_B" in name for name in trained)
    kept = {n: p for n, p in backbone.model.named_parameters() if "lora_A" in n}
    assert len(kept) == 4
    assert all(torch.count_nonzero(p) == p.numel() for p in kept.values())
