"""Shapes of the ESM family against published sizes; checkpoints whole or refused."""

import json
import shutil
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
from peftide.backbones.esm_masked import published_tensors
from peftide.backbones.loading import load_backbone
from peftide.backbones.names import ALIASES
from peftide.errors import BackboneError
from tests.conftest import padded_forward, plain_model, randomise, save_checkpoint

WEIGHTS = "model.safetensors"
PARTS = ("weight", "bias")
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


PUBLISHED_CONFIG = {  # config.json of facebook/esm2_t6_8M_UR50D, in the shape of the tests
    "_name_or_path": "/tmp/facebook/esm2_t6_8M_UR50D",
    "architectures": ["EsmForMaskedLM"],
    "attention_probs_dropout_prob": 0.0,
    "classifier_dropout": None,
    "emb_layer_norm_before": False,
    "esmfold_config": None,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.0,
    "hidden_size": 32,
    "initializer_range": 0.02,
    "intermediate_size": 128,
    "is_folding_model": False,
    "layer_norm_eps": 1e-05,
    "mask_token_id": 32,
    "max_position_embeddings": 1026,
    "model_type": "esm",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "pad_token_id": 1,
    "position_embedding_type": "rotary",
    "token_dropout": True,
    "torch_dtype": "float32",
    "transformers_version": "4.25.0.dev0",
    "use_cache": True,
    "vocab_list": None,
    "vocab_size": 33,
}
BLOCK = [
    *(f"attention.self.{name}.{kind}" for name in ("query", "key", "value") for kind in PARTS),
    *(f"{name}.{kind}" for name in ("attention.output.dense", "output.dense") for kind in PARTS),
    *(f"{name}.{kind}" for name in ("attention.LayerNorm", "LayerNorm") for kind in PARTS),
    *(f"intermediate.dense.{kind}" for kind in PARTS),
    "attention.self.rotary_embeddings.inv_freq",
]
PUBLISHED_NAMES = {
    *(f"esm.encoder.layer.{layer}.{name}" for layer in (0, 1) for name in BLOCK),
    *(f"{name}.{kind}" for name in ("lm_head.dense", "lm_head.layer_norm") for kind in PARTS),
    *(f"esm.{name}.{kind}" for name in ("contact_head.regression",) for kind in PARTS),
    *(f"esm.encoder.emb_layer_norm_after.{kind}" for kind in PARTS),
    "esm.embeddings.position_embeddings.weight",
    "esm.embeddings.word_embeddings.weight",
    "lm_head.bias",
}


def published_checkpoint(folder: Path) -> Path:
    """Give a checkpoint the file and tensor names of facebook/esm2_t6_8M_UR50D."""
    save_checkpoint(folder)
    (folder / "config.json").write_text(json.dumps(PUBLISHED_CONFIG))
    model = EsmForMaskedLM.from_pretrained(folder)
    tensors = published_tensors(model.state_dict(), layers=2, dtype=torch.float32)
    tensors["esm.embeddings.position_embeddings.weight"] = torch.randn(1026, 32)
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    assert load_file(folder / WEIGHTS).keys() == PUBLISHED_NAMES
    return folder


def test_a_checkpoint_in_the_published_form_loads(tmp_path: Path):
    """The files on the hub hold inv_freq per layer, and a position table that nothing reads."""
    expected = padded_forward(plain_model(save_checkpoint(tmp_path / "new")), ["MKV", "W"])
    shutil.copytree(tmp_path / "new", tmp_path / "old")
    folder = published_checkpoint(tmp_path / "old")
    found = padded_forward(load_esm(folder), ["MKV", "W"])
    assert load_backbone(str(folder)).layers == 2
    for a, b in zip(expected, found, strict=True):
        torch.testing.assert_close(a, b)


def test_names_that_an_older_peftide_wrote_still_load(tmp_path: Path):
    """`transformers` 5 writes gamma and beta, and one inv_freq for a star of layers."""
    EsmForMaskedLM.from_pretrained(save_checkpoint(tmp_path)).esm.save_pretrained(tmp_path / "old")
    names = load_file(tmp_path / "old" / WEIGHTS).keys()
    assert any("layer.*" in name for name in names)
    assert any(name.endswith("LayerNorm.gamma") for name in names)
    found, expected = load_esm(tmp_path / "old").state_dict(), load_esm(tmp_path).state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


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
    with pytest.raises(BackboneError, match=r"lack 1 tensor, for instance .*a complete checkpoint"):
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
    with pytest.raises(BackboneError, match=r"holds no alphabet; expected vocab\.txt"):
        esm_tokenizer(tmp_path)
