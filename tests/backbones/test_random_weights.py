"""Random weights: the same in any precision and for any cut, with the library's own spread."""

import pytest
import torch

from peftide.backbones import BACKBONES
from peftide.backbones.bert import prot_bert_config
from peftide.backbones.electra import prot_electra_config
from peftide.backbones.esm import esm1b_config, esm_config
from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.backbones.random_weights import draw_weights
from peftide.backbones.t5 import ankh_config, t5_config
from peftide.backbones.weights import weights_sha256

SMALL = {"hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 96}
CONFIGS = {
    "esm": esm_config(3, 64, 4),
    "esm1b": esm1b_config(),
    "bert": prot_bert_config(),
    "electra": prot_electra_config(),
    "t5": t5_config(3, 64, 4),
    "ankh": ankh_config(3, 64, 4),
}
for _name in ("esm1b", "bert", "electra"):
    for _key, _value in (SMALL | {"num_hidden_layers": 3}).items():
        setattr(CONFIGS[_name], _key, _value)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_tensor_has_the_spread_of_the_library(name: str) -> None:
    config = CONFIGS[name]
    architecture = BACKBONES[config.model_type]
    torch.manual_seed(0)
    expected = architecture.random_model(config)
    with torch.device("meta"):
        found = architecture.random_model(config)
    prefix = architecture.layer_prefix
    sha256 = draw_weights(found, layer_prefix=prefix, dtype=torch.float32)
    assert sha256 == weights_sha256(found)
    assert len([*found.parameters()]) == len([*expected.parameters()])  # those with two names too
    drawn = found.state_dict()
    for key, tensor in expected.state_dict().items():
        assert drawn[key].shape == tensor.shape
        if tensor.numel() > 500:
            assert drawn[key].std().item() == pytest.approx(tensor.std().item(), rel=0.2), key
    for key, tensor in expected.named_buffers():
        assert torch.equal(found.get_buffer(key), tensor), key


def test_layers_differ_and_a_cut_has_those_of_the_whole() -> None:
    whole, cut = (
        load_backbone("random:esm2_mini", options=LoadOptions(layer=layer)).model.state_dict()
        for layer in (None, 1)
    )
    assert len(cut) < len(whole)
    kept = {name for name in cut if not name.startswith("contact_head")}  # one weight per layer
    assert all(torch.equal(cut[name], whole[name]) for name in kept)
    key = "encoder.layer.{}.attention.self.key.weight"
    assert not torch.equal(whole[key.format(0)], whole[key.format(1)])


def test_half_precision_rounds_the_same_weights() -> None:
    exact, half = (
        load_backbone("random:esm2_tiny", options=LoadOptions(dtype=dtype))
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert half.origin == exact.origin
    kinds = set()
    for name, tensor in half.model.state_dict().items():
        kinds.add(tensor.dtype)
        assert torch.equal(tensor, exact.model.state_dict()[name].to(tensor.dtype)), name
    assert kinds == {torch.float32, torch.bfloat16}
