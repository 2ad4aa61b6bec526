"""A model in memory and its files hold the same numbers, which other tools open."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import EsmForMaskedLM

import peftide.backbones
from peftide.pretraining.saving import save_backbone
from tests.pretraining.conftest import TOKENIZER, tiny_model

UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
"""Human ubiquitin, UniProt P0CG48, 1-76."""


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_transformers_opens_what_was_saved(tmp_path: Path, dtype: str) -> None:
    model = tiny_model(relatives=True)
    save_backbone(model, TOKENIZER, tmp_path, dtype=dtype)
    stored = load_file(tmp_path / "model.safetensors")
    kind = torch.float32 if dtype == "fp32" else torch.bfloat16
    weights = {name: tensor for name, tensor in stored.items() if "inv_freq" not in name}
    assert {tensor.dtype for tensor in weights.values()} == {kind}
    opened = EsmForMaskedLM.from_pretrained(tmp_path).state_dict()
    for name, tensor in model.language_model.model.state_dict().items():
        assert torch.equal(opened[name].to(kind), tensor.to(kind)), name


def test_tensors_have_the_names_of_the_published_checkpoints(tmp_path: Path) -> None:
    save_backbone(tiny_model(), TOKENIZER, tmp_path, dtype="bf16")
    stored = load_file(tmp_path / "model.safetensors")
    frequencies = [name for name in stored if "inv_freq" in name]
    assert frequencies == [
        f"esm.encoder.layer.{k}.attention.self.rotary_embeddings.inv_freq" for k in (0, 1)
    ]
    assert {stored[name].dtype for name in frequencies} == {torch.float32}
    assert "esm.encoder.layer.1.attention.LayerNorm.weight" in stored
    assert not [name for name in stored if "gamma" in name or "beta" in name or "*" in name]


def logits_elsewhere(
    weights: Path, folder: Path, esm_cpp: ModuleType
) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits of ubiquitin by esm-cpp, which reads fp32 only, and by `transformers`."""
    save_file({k: v.float() for k, v in load_file(weights).items()}, folder / "fp32.safetensors")
    ids = TOKENIZER(UBIQUITIN, return_tensors="pt")["input_ids"]
    read = esm_cpp.Model.load_from_safetensors(str(folder / "fp32.safetensors"))
    with torch.no_grad():
        expected = EsmForMaskedLM.from_pretrained(weights.parent)(ids).logits[0]
    return read.forward(ids[0].numpy().astype(np.int32)), expected.numpy()


def test_another_program_reads_what_was_saved(tmp_path: Path, esm_cpp: ModuleType) -> None:
    """esm-cpp knows ESM-2 by its tensor names, and shares no code with `transformers`."""
    save_backbone(tiny_model(), TOKENIZER, tmp_path, dtype="fp32")
    found, expected = logits_elsewhere(tmp_path / "model.safetensors", tmp_path, esm_cpp)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_another_program_reads_mini(tmp_path: Path, esm_cpp: ModuleType) -> None:
    mini = Path(peftide.backbones.__file__).parent / "mini" / "model.safetensors"
    found, expected = logits_elsewhere(mini, tmp_path, esm_cpp)
    np.testing.assert_allclose(found, expected, atol=1e-3)


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
