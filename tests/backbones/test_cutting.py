"""A backbone that ends after a layer is the lower part of the whole one."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from peftide.backbones.cutting import kept_layers
from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.errors import BackboneError, InputError
from tests.conftest import TINY, save_checkpoint

WEIGHTS = "model.safetensors"


@pytest.mark.parametrize("layer", [2, 9, -1])
def test_a_layer_that_does_not_exist_is_refused(layer: int) -> None:
    with pytest.raises(InputError, match=f"--layer: received {layer}, .*layers 0 to 1"):
        load_backbone(TINY, options=LoadOptions(layer=layer))
    with pytest.raises(InputError, match="--layer"):
        kept_layers(layer, layers=2)


def test_layers_above_the_cut_are_not_there(tmp_path: Path) -> None:
    cut = load_backbone(str(save_checkpoint(tmp_path)), options=LoadOptions(layer=0))
    assert cut.layers == 1
    assert not [name for name in cut.model.state_dict() if "layer.1." in name]
    assert torch.equal(cut.model.contact_head.regression.weight, torch.zeros(1, 4))


def test_the_cut_belongs_to_the_identity(tmp_path: Path) -> None:
    folder = str(save_checkpoint(tmp_path))
    origins = [load_backbone(folder, options=LoadOptions(layer=k)).origin for k in (0, 1, None)]
    assert origins[0].weights_sha256 != origins[1].weights_sha256
    assert [origin.settings["num_hidden_layers"] for origin in origins] == [1, 2, 2]


def test_weights_of_another_shape_are_still_refused(tmp_path: Path) -> None:
    """Only the contact head may have the shape of the whole model."""
    folder = save_checkpoint(tmp_path)
    tensors = load_file(folder / WEIGHTS)
    name = next(name for name in tensors if name.endswith("layer.0.attention.self.key.bias"))
    tensors[name] = torch.zeros(3)
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(BackboneError, match=r"lack 1 tensor, .*key\.bias"):
        load_backbone(str(folder), options=LoadOptions(layer=0))
