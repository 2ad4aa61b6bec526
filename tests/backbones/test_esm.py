"""Shapes of the ESM family against published sizes; checkpoints whole or refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import EsmForMaskedLM, EsmModel
from transformers.models.esm.configuration_esm import get_default_vocab_list

from peftide.backbones.esm import (
    esm_config,
    esm_first_position,
    esm_max_residues,
    esm_tokenizer,
    load_esm,
)
from peftide.backbones.names import ALIASES
from peftide.errors import BackboneError
from tests.conftest import padded_forward, plain_model, randomise, save_checkpoint

WEIGHTS = "model.safetensors"
PUBLISHED = {  # Lin et al. 2023, doi 10.1126/science.ade2574, table S1, and the models' names
    "esm2_t6_8M": 7.5e6,
    "esm2_t12_35M": 33.5e6,
    "esm2_t30_150M": 148e6,
    "esm2_t33_650M": 650e6,
    "esm2_t36_3B": 2.84e9,
    "esm2_t48_15B": 15.1e9,
    "esm1b_t33_650M": 652e6,
}


def change_weights(folder: Path, change: Callable[[dict[str, Tensor]], object]) -> Path:
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    return folder


def change_config(folder: Path, **changes: object) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return folder


@pytest.mark.parametrize(("alias", "published"), PUBLISHED.items())
def test_aliases_have_the_published_number_of_parameters(alias: str, published: float):
    with torch.device("meta"):
        model = EsmForMaskedLM(ALIASES[alias][1]())
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(published, rel=0.02)


@pytest.mark.parametrize("alias", PUBLISHED)
def test_aliases_stand_for_facebooks_checkpoints(alias: str):
    hub_id = ALIASES[alias][0]
    assert hub_id is not None
    assert hub_id.startswith(f"facebook/{alias}_UR50")


@pytest.mark.parametrize("alias", PUBLISHED)
def test_aliases_have_the_layers_of_their_name(alias: str):
    assert f"_t{ALIASES[alias][1]().num_hidden_layers}_" in alias


def test_absolute_positions_begin_after_padding_rotary_ones_at_0():
    rotary, absolute = (
        esm_config(1, 8, 2, position_embedding_type=kind) for kind in ("rotary", "absolute")
    )
    assert (esm_first_position(rotary), esm_first_position(absolute)) == (0, 2)


def test_absolute_positions_hold_1022_residues():
    assert esm_max_residues(ALIASES["esm1b_t33_650M"][1]()) == 1022
    assert esm_max_residues(ALIASES["esm2_t33_650M"][1]()) is None
    assert esm_max_residues(esm_config(1, 8, 2, position_embedding_type="absolute")) == 1022


def test_own_alphabet_is_that_of_esm():
    tokens = esm_tokenizer(None).convert_ids_to_tokens(list(range(33)))
    assert tokens == list(get_default_vocab_list())


def test_a_masked_lm_checkpoint_gives_the_vectors_of_its_encoder(tmp_path: Path):
    folder = save_checkpoint(tmp_path)
    whole = EsmForMaskedLM.from_pretrained(folder).esm.eval()
    expected, found = (padded_forward(model, ["MKV", "W"]) for model in (whole, load_esm(folder)))
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))


def test_an_encoder_checkpoint_loads_without_its_pooler(tmp_path: Path):
    model = EsmModel(esm_config(2, 32, 4))
    randomise(model)
    model.save_pretrained(tmp_path)
    loaded = load_esm(tmp_path)
    assert loaded.pooler is None
    expected, found = (padded_forward(m, ["MKV", "W"]) for m in (model.eval(), loaded))
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))


def test_a_checkpoint_in_the_published_form_loads(tmp_path: Path):
    """The files on the hub hold inv_freq per layer, and a position table that nothing reads."""

    def as_published(tensors: dict[str, Tensor]) -> None:
        for name in [name for name in tensors if "inv_freq" in name]:
            del tensors[name]
        for layer in range(2):
            name = f"esm.encoder.layer.{layer}.attention.self.rotary_embeddings.inv_freq"
            tensors[name] = 1 / 10000 ** (torch.arange(0, 8, 2) / 8)
        tensors["esm.embeddings.position_ids"] = torch.arange(1026)[None]
        tensors["esm.embeddings.position_embeddings.weight"] = torch.randn(1026, 32)

    expected = padded_forward(plain_model(save_checkpoint(tmp_path)), ["MKV", "W"])
    found = padded_forward(load_esm(change_weights(tmp_path, as_published)), ["MKV", "W"])
    for a, b in zip(expected, found, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(
    "name",
    [
        "esm.encoder.layer.1.attention.self.key.weight",
        "esm.embeddings.word_embeddings.weight",
        "esm.encoder.emb_layer_norm_after.bias",
    ],
)
def test_a_missing_tensor_is_an_error_not_random_numbers(tmp_path: Path, name: str):
    folder = change_weights(save_checkpoint(tmp_path), lambda tensors: tensors.pop(name))
    with pytest.raises(
        BackboneError, match=r"lack 1 tensors, for instance .*a complete checkpoint"
    ):
        load_esm(folder)


def without_contact_head(tensors: dict[str, Tensor]) -> None:
    for name in [name for name in tensors if "contact_head" in name]:
        del tensors[name]


def test_a_missing_contact_head_is_the_same_at_every_load(tmp_path: Path):
    folder = change_weights(save_checkpoint(tmp_path), without_contact_head)
    states = []
    for seed in range(2):
        torch.manual_seed(seed)
        states.append(load_esm(folder).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_truncated_weights_are_an_error(tmp_path: Path):
    path = save_checkpoint(tmp_path) / WEIGHTS
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BackboneError, match="cannot read the weights in"):
        load_esm(tmp_path)


@pytest.mark.parametrize("changes", [{"intermediate_size": 64}, {"num_attention_heads": 5}])
def test_weights_of_another_shape_are_an_error(tmp_path: Path, changes: dict[str, int]):
    folder = change_config(save_checkpoint(tmp_path), **changes)
    with pytest.raises(BackboneError, match="cannot read the weights in"):
        load_esm(folder)


def test_half_precision_weights_are_computed_with_in_fp32(tmp_path: Path):
    EsmForMaskedLM(esm_config(2, 32, 4)).bfloat16().save_pretrained(tmp_path)
    assert {p.dtype for p in load_esm(tmp_path).parameters()} == {torch.float32}


def test_a_folder_without_alphabet_is_an_error(tmp_path: Path):
    with pytest.raises(BackboneError, match=r"holds no vocab\.txt"):
        esm_tokenizer(tmp_path)
