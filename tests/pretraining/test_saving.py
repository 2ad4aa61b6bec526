"""A model in memory and its files hold the same numbers, which other tools open."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import EsmForMaskedLM

from peftide.pretraining.saving import save_backbone
from tests.pretraining.conftest import TOKENIZER, tiny_model


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_transformers_opens_what_was_saved(tmp_path: Path, dtype: str) -> None:
    model = tiny_model(relatives=True)
    save_backbone(model, TOKENIZER, tmp_path, dtype=dtype)
    stored = load_file(tmp_path / "model.safetensors")
    kind = torch.float32 if dtype == "fp32" else torch.bfloat16
    assert {tensor.dtype for tensor in stored.values()} == {kind}
    opened = EsmForMaskedLM.from_pretrained(tmp_path).state_dict()
    for name, tensor in model.language_model.model.state_dict().items():
        assert torch.equal(opened[name].to(kind), tensor.to(kind)), name


def test_nothing_but_the_backbone_is_left(tmp_path: Path) -> None:
    save_backbone(tiny_model(), TOKENIZER, tmp_path, dtype="fp32")
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {"config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"}
    assert not list((tmp_path / "checkpoints").iterdir())


def test_saving_again_replaces_the_files(tmp_path: Path) -> None:
    model = tiny_model()
    save_backbone(model, TOKENIZER, tmp_path, dtype="fp32")
    before = load_file(tmp_path / "model.safetensors")
    with torch.no_grad():
        model.language_model.model.lm_head.bias.add_(1)
    save_backbone(model, TOKENIZER, tmp_path, dtype="fp32")
    after = load_file(tmp_path / "model.safetensors")
    assert torch.equal(after["lm_head.bias"], before["lm_head.bias"] + 1)
