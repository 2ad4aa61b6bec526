"""A transformer knows its sizes, gives one embedding per token, and can be cut at a layer."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from peftide.adapters import ADAPTERS
from peftide.backbones import LayeredBackbone
from peftide.backbones.loading import load_backbone
from peftide.backbones.transformer import unwrapped
from peftide.config import MethodOptions
from tests.conftest import TINY, random_sequences, randomise

SEQUENCES = random_sequences(4)


@pytest.fixture(scope="module")
def backbone() -> LayeredBackbone:
    return load_backbone(TINY)


def adapted(method: str) -> LayeredBackbone:
    backbone = load_backbone("random:esm2_t6_8M")
    ADAPTERS[method].apply(backbone, MethodOptions(lora_layers="all"))
    randomise(backbone, std=0.1)
    return backbone.eval()


def test_sizes_are_those_of_the_configuration(backbone: LayeredBackbone):
    assert (backbone.layers, backbone.width, backbone.max_residues) == (2, 32, None)


def test_pack_crops_and_surrounds_each_sequence(backbone: LayeredBackbone):
    batch = backbone.pack(["MKVLLA", "MK"], max_length=3)
    assert batch.lengths == (5, 4)
    assert batch.residue_owner.tolist() == [0, 0, 0, 1, 1]
    assert batch.position_ids.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3]
    expected = [*backbone.vocabulary.encode("MKV"), *backbone.vocabulary.encode("MK")]
    assert batch.input_ids.tolist() == expected


def test_one_embedding_per_token(backbone: LayeredBackbone):
    batch = backbone.pack(["MKVLLA", "MK"], max_length=None)
    assert backbone(batch).shape == (12, 32)


def test_a_loaded_backbone_is_frozen_and_in_eval_mode(esm2_folder: Path):
    for backbone in [load_backbone(TINY), load_backbone(str(esm2_folder))]:
        assert not any(parameter.requires_grad for parameter in backbone.parameters())
        assert not any(module.training for module in backbone.model.modules())


def test_the_longest_sequence_of_absolute_positions_fits_and_no_longer_one(esm1b_folder: Path):
    backbone = load_backbone(str(esm1b_folder))
    assert backbone.max_residues == 1022
    with torch.no_grad():
        assert backbone(backbone.pack(["A" * 1022], max_length=None)).isfinite().all()
        with pytest.raises(IndexError):
            backbone(backbone.pack(["A" * 1023], max_length=None))


def test_rotary_positions_have_no_limit(backbone: LayeredBackbone):
    with torch.no_grad():
        assert backbone(backbone.pack(["A" * 1500], max_length=None)).shape == (1502, 32)


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("layers", [1, 4, 5])
def test_upper_layers_on_the_states_of_lower_ones_equal_the_whole(method: str, layers: int) -> None:
    backbone = adapted(method)
    whole = backbone.pack(SEQUENCES, max_length=None)
    with torch.no_grad():
        states = backbone.hidden_states(whole, layers)
        upper = backbone(replace(whole, hidden=states, layers_done=layers))
        assert torch.equal(upper, backbone(whole))
        assert not torch.allclose(states, upper)


@pytest.mark.parametrize(("first", "last"), [(0, 2), (2, 6), (0, 6)])
def test_only_the_asked_layers_run_and_the_modules_stay(first: int, last: int) -> None:
    backbone = adapted("lora")
    layers = unwrapped(backbone.model).encoder.layer
    before, called = dict(backbone.named_modules()), []
    for number, layer in enumerate(layers):
        layer.register_forward_hook(lambda *_, number=number: called.append(number))
    batch = backbone.pack(SEQUENCES, max_length=None)
    if first:
        states = torch.zeros(len(batch.input_ids), backbone.width)
        batch = replace(batch, hidden=states, layers_done=first)
    with torch.no_grad():
        _ = backbone(batch) if last == len(layers) else backbone.hidden_states(batch, last)
    assert called == list(range(first, last))
    assert dict(backbone.named_modules()) == before


def test_the_model_of_transformers_is_found_inside_that_of_peft() -> None:
    plain, wrapped = load_backbone(TINY), adapted("lora")
    assert unwrapped(plain.model) is plain.model
    assert unwrapped(wrapped.model) is not wrapped.model
    assert isinstance(unwrapped(wrapped.model), PreTrainedModel)


def test_recomputed_activations_are_an_option_of_every_layer(esm2_folder: Path) -> None:
    backbone = load_backbone(str(esm2_folder))
    backbone.recompute_activations()
    layers = backbone.model.encoder.layer
    assert [layer.gradient_checkpointing for layer in layers] == [True, True]
