"""Reference: `EsmForMaskedLM` of transformers, on the bundled checkpoint."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from peftide.backbones.esm_output import PREFIX, read_esm_output
from peftide.backbones.loading import LoadOptions, find_folder, load_backbone
from peftide.backbones.weights import load_weights

SEQUENCES = ["MKVLAAGIVGLC", "ACDEF"]


def test_logits_equal_those_of_transformers() -> None:
    from transformers import EsmForMaskedLM

    backbone = load_backbone("mini")
    folder, _ = find_folder("mini", LoadOptions())
    plain = load_weights(EsmForMaskedLM, folder)[0].eval()
    batch = backbone.pack(SEQUENCES, max_length=None)
    with torch.inference_mode():
        found = backbone.letter_logits(backbone(batch), batch)
        assert found is not None
        wanted = [
            plain(input_ids=ids[None]).logits[0, 1:-1]
            for ids in batch.input_ids.split(list(batch.lengths))
        ]
    torch.testing.assert_close(found, torch.cat(wanted), atol=1e-4, rtol=1e-4)


def test_there_is_none_below_the_last_layer_and_without_its_tensors(tmp_path: Path) -> None:
    cut = load_backbone("mini", options=LoadOptions(layer=0))
    batch = cut.pack(SEQUENCES, max_length=None)
    assert cut.letter_logits(cut(batch), batch) is None
    folder, _ = find_folder("mini", LoadOptions())
    tensors = load_file(folder / "model.safetensors")
    bare = {name: tensor for name, tensor in tensors.items() if not name.startswith(PREFIX)}
    save_file(bare, tmp_path / "model.safetensors")
    assert read_esm_output(folder, cut.model) is not None
    assert read_esm_output(tmp_path, cut.model) is None


@pytest.mark.parametrize("name", ["random:esm2_tiny", "random:unirep_64"])
def test_random_weights_have_none(name: str) -> None:
    backbone = load_backbone(name)
    batch = backbone.pack(SEQUENCES, max_length=None)
    assert backbone.letter_logits(backbone(batch), batch) is None
