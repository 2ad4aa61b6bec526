from pathlib import Path

import pytest
import torch
from torch import nn

from peftide.training.modes import set_training_mode
from tests.conftest import save_checkpoint
from tests.training.conftest import Build


@pytest.fixture
def leaky(tmp_path: Path) -> str:
    """A checkpoint whose own modules drop values while training."""
    changes = {"hidden_dropout_prob": 0.5, "attention_probs_dropout_prob": 0.5}
    return str(save_checkpoint(tmp_path / "leaky", **changes))


def test_under_lora_only_lora_and_head_drop(build: Build, leaky: str) -> None:
    _, model, _ = build("ppi", "lora", backbone=leaky, lora_dropout=0.3)
    set_training_mode(model)
    dropping = {
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Dropout) and module.training and module.p > 0
    }
    assert {name.partition(".")[0] for name in dropping} == {"backbone", "head"}
    assert all("lora_dropout" in name for name in dropping if name.startswith("backbone"))
    assert any("lora_dropout" in name for name in dropping)
    attention = [m for n, m in model.named_modules() if n.endswith("attention.self")]
    assert attention
    assert not any(module.training for module in attention)


def test_under_head_the_backbone_drops_nothing(build: Build, leaky: str) -> None:
    _, model, _ = build("ppi", "head", backbone=leaky)
    set_training_mode(model)
    # the flag of a layer itself says only that activations may be recomputed
    training = {type(m).__name__ for m in model.backbone.modules() if m.training}
    assert training <= {"FewPassesEsmLayer"}
    assert all(module.training for module in model.head.modules())


def test_under_full_every_layer_drops(build: Build, leaky: str) -> None:
    _, model, _ = build("ppi", "full", backbone=leaky)
    set_training_mode(model)
    layers = [m for n, m in model.named_modules() if ".encoder.layer." in n]
    assert layers
    assert all(module.training for module in layers)


def test_what_drops_is_what_is_computed(build: Build, leaky: str) -> None:
    """With LoRA's own dropout off, two passes in training mode give the same rows."""
    rows = {}
    for lora_dropout in (0.0, 0.5):
        setting, model, _ = build("ppi", "lora", backbone=leaky, lora_dropout=lora_dropout)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    parameter.normal_()
        set_training_mode(model)
        batch = setting.encoder.pack(["MKVLAYWEDRST", "AAAWWWKKK"])
        rows[lora_dropout] = [model.encode(batch) for _ in range(2)]
    assert torch.equal(*rows[0.0])
    assert not torch.equal(*rows[0.5])
