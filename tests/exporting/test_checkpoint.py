"""A merged checkpoint gives the adapted vectors to programs that know nothing of peftide."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, EsmForMaskedLM

from peftide.adapters import ADAPTERS
from peftide.backbones.backbone import LayeredBackbone
from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.backbones.transformer import TransformerBackbone
from peftide.bundle import load_bundle
from peftide.config import MethodOptions
from peftide.errors import InputError
from peftide.exporting.checkpoint import write_checkpoint
from tests.conftest import TINY, random_sequences
from tests.contracts.test_backbones import CARDS

SEQUENCE = "MKTAYIAKQRQISFVKSHFSRQ"


def adapted(place: str, method: str, *, layer: int | None = None) -> TransformerBackbone:
    """Return a backbone whose trainable weights are all moved."""
    backbone = load_backbone(place, options=LoadOptions(layer=layer))
    assert isinstance(backbone, TransformerBackbone)
    ADAPTERS[method].apply(backbone, MethodOptions())
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in backbone.model.parameters():
            if parameter.requires_grad:
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    ADAPTERS[method].finish(backbone)
    return backbone.eval()


def vectors(backbone: LayeredBackbone) -> tuple[torch.Tensor, torch.Tensor]:
    batch = backbone.pack([SEQUENCE], max_length=None)
    with torch.no_grad():
        return batch.input_ids, backbone(batch)


def plain_vectors(folder: Path, ids: torch.Tensor) -> torch.Tensor:
    """Return the vectors of plain `transformers`."""
    model: Any = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    model = getattr(model, "encoder", model) if model.config.model_type == "t5" else model
    with torch.no_grad():
        return model(input_ids=ids[None], attention_mask=torch.ones_like(ids)[None])[0][0]


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("checkpoint", CARDS)
def test_every_family_opens_in_plain_transformers(
    checkpoint: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    place = str(request.getfixturevalue(checkpoint))
    backbone = adapted(place, "lora")
    ids, expected = vectors(backbone)
    unchanged = vectors(load_backbone(place))[1]
    assert not torch.allclose(expected, unchanged, atol=1e-2), "the adapter must matter"
    write_checkpoint(backbone, tmp_path / "merged")
    close(plain_vectors(tmp_path / "merged", ids), expected)
    close(vectors(load_backbone(str(tmp_path / "merged")))[1], expected)


@pytest.mark.parametrize("method", ADAPTERS)
def test_every_method_is_merged(method: str, esm2_folder: Path, tmp_path: Path) -> None:
    backbone = adapted(str(esm2_folder), method)
    ids, expected = vectors(backbone)
    write_checkpoint(backbone, tmp_path / "merged")
    close(plain_vectors(tmp_path / "merged", ids), expected)


def test_a_cut_backbone_stays_cut(esm2_folder: Path, tmp_path: Path) -> None:
    backbone = adapted(str(esm2_folder), "lora", layer=0)
    ids, expected = vectors(backbone)
    write_checkpoint(backbone, tmp_path / "merged")
    close(plain_vectors(tmp_path / "merged", ids), expected)
    assert not [name for name in load_file(tmp_path / "merged/model.safetensors") if "r.1." in name]


def test_the_language_model_head_is_kept_and_named_as_published(
    esm2_folder: Path, tmp_path: Path
) -> None:
    write_checkpoint(adapted(str(esm2_folder), "head"), tmp_path / "merged")
    before = EsmForMaskedLM.from_pretrained(esm2_folder)
    opened: Any = EsmForMaskedLM.from_pretrained(tmp_path / "merged", output_loading_info=True)
    after, report = opened
    assert not report["missing_keys"]
    ids = torch.tensor([[0, 5, 6, 7, 2]])
    with torch.no_grad():
        close(after(ids).logits, before(ids).logits)
    stored = load_file(tmp_path / "merged/model.safetensors")
    assert "esm.encoder.layer.1.attention.self.rotary_embeddings.inv_freq" in stored
    assert "lm_head.dense.weight" in stored


def test_another_program_reads_it(esm2_folder: Path, tmp_path: Path, esm_cpp: ModuleType) -> None:
    """esm-cpp knows ESM-2 by its tensor names, and shares no code with `transformers`."""
    backbone = adapted(str(esm2_folder), "lora")
    write_checkpoint(backbone, tmp_path / "merged")
    ids = vectors(backbone)[0]
    with torch.no_grad():
        expected = EsmForMaskedLM.from_pretrained(tmp_path / "merged")(ids[None]).logits[0]
    model = esm_cpp.Model.load_from_safetensors(str(tmp_path / "merged" / "model.safetensors"))
    np.testing.assert_allclose(
        model.forward(ids.numpy().astype(np.int32)), expected.numpy(), atol=1e-3
    )


def test_a_trained_run_is_merged(trained: Callable[[str, str], Path], tmp_path: Path) -> None:
    for number, (task, method) in enumerate([("regression", "lora"), ("ppi", "full")]):
        backbone = load_bundle(trained(task, method)).model.backbone
        assert isinstance(backbone, TransformerBackbone)
        ids, expected = vectors(backbone)
        write_checkpoint(backbone, tmp_path / str(number))
        close(plain_vectors(tmp_path / str(number), ids), expected)


def test_a_recurrent_backbone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no model of transformers"):
        write_checkpoint(load_backbone("random:unirep_64"), tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_random_weights_have_the_alphabet_of_their_family(tmp_path: Path) -> None:
    write_checkpoint(adapted(TINY, "lora"), tmp_path / "merged")
    again = load_backbone(str(tmp_path / "merged"))
    texts = random_sequences(3)
    first, second = (each.pack(texts, max_length=None) for each in (load_backbone(TINY), again))
    assert torch.equal(first.input_ids, second.input_ids)
