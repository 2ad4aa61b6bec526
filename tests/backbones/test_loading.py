"""Folder, hub id, alias, random: each loads or gives one clear error."""

import json
import math
from pathlib import Path

import pytest
import torch
from transformers import EsmForMaskedLM, EsmTokenizer, GPT2Config

from peftide.backbones import loading
from peftide.backbones.loading import LoadOptions, find_folder, load_backbone
from peftide.backbones.names import ALIASES, BUNDLED
from peftide.errors import BackboneError
from tests.conftest import TINY, save_checkpoint

OFFLINE = LoadOptions(offline=True)


def vectors(name: str) -> torch.Tensor:
    backbone = load_backbone(name)
    with torch.no_grad():
        return backbone(backbone.pack(["MKVLLA", "WYW"], max_length=None))


def test_random_weights_are_the_same_every_time():
    torch.manual_seed(1)
    first = vectors(TINY)
    torch.manual_seed(2)
    assert torch.equal(first, vectors(TINY))


def test_random_weights_leave_the_random_numbers_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    load_backbone(TINY)
    assert torch.equal(torch.rand(3), expected)


def test_random_weights_have_esms_own_spread():
    weight = load_backbone("random:esm2_t6_8M").model.get_submodule("encoder.layer.3").state_dict()
    assert weight["attention.self.key.weight"].std() == pytest.approx(0.02, rel=0.02)


def test_origin_of_random_weights():
    origin = load_backbone(TINY).origin
    assert (origin.name, origin.model_type, origin.revision) == (TINY, "esm", None)
    assert len(origin.weights_sha256) == 64
    assert origin.is_random


def test_the_bundled_backbone_needs_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    origin = load_backbone("mini", options=OFFLINE).origin
    assert (origin.name, origin.model_type, origin.revision) == ("mini", "esm", None)
    assert origin.licence == "Apache-2.0"
    assert not origin.is_random


def test_a_folder_called_like_the_bundled_backbone_does_not_hide_it(
    esm2_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "mini").symlink_to(esm2_folder)
    monkeypatch.chdir(tmp_path)
    bundled, local = load_backbone("mini"), load_backbone("./mini")
    assert bundled.origin.weights_sha256 != local.origin.weights_sha256


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_weights_are_small_and_trained_in_the_shape_of_their_random_twin(name: str):
    folder = Path(loading.__file__).parent / name
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 20e6
    trained, untrained = load_backbone(name), load_backbone(f"random:esm2_{name}")
    shapes = [{k: v.shape for k, v in b.model.state_dict().items()} for b in (trained, untrained)]
    assert shapes[0] == shapes[1]


def test_the_bundled_language_model_knows_residues_better_than_chance():
    """On human ubiquitin (UniProt P0CG48, 1-76), each residue hidden alone."""
    ubiquitin = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"
    folder = Path(loading.__file__).parent / "mini"
    model, tokenizer = EsmForMaskedLM.from_pretrained(folder), EsmTokenizer.from_pretrained(folder)
    ids = tokenizer(ubiquitin, return_tensors="pt")["input_ids"].repeat(len(ubiquitin), 1)
    place = torch.arange(len(ubiquitin))
    truth = ids[place, place + 1]
    ids[place, place + 1] = tokenizer.mask_token_id
    with torch.no_grad():
        logits = model(input_ids=ids).logits[place, place + 1]
    loss = torch.nn.functional.cross_entropy(logits, truth)
    assert loss < math.log(20)


def test_origin_of_a_folder_is_its_full_path(esm2_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(esm2_folder.parent)
    origin = load_backbone(esm2_folder.name).origin
    assert origin.name == str(esm2_folder)
    assert origin.revision is None
    assert not origin.is_random


def test_a_folder_loads_the_same_way_twice(esm2_folder: Path):
    assert torch.equal(vectors(str(esm2_folder)), vectors(str(esm2_folder)))


def test_a_folder_named_as_an_alias_wins(tmp_path: Path):
    save_checkpoint(tmp_path / "esm2_t6_8M")
    assert load_backbone("esm2_t6_8M").width == 32


@pytest.mark.parametrize("alias", sorted(name for name, (hub_id, _) in ALIASES.items() if hub_id))
def test_an_alias_stands_for_its_hub_id(alias: str, monkeypatch: pytest.MonkeyPatch):
    asked = []
    monkeypatch.setattr(
        "peftide.backbones.loading.find_snapshot",
        lambda hub_id, *, offline, **_: asked.append((hub_id, offline)) or (Path("x"), "r"),
    )
    assert find_folder(alias, LoadOptions(offline=True)) == (Path("x"), "r")
    assert asked == [(ALIASES[alias][0], True)]


def test_an_alias_that_is_nowhere_is_one_error_with_a_fix():
    with pytest.raises(BackboneError, match="facebook/esm2_t6_8M_UR50D cannot be had") as caught:
        load_backbone("esm2_t6_8M", options=OFFLINE)
    assert "hf download facebook/esm2_t6_8M_UR50D" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("esm2_t6_8m", "Did you mean esm2_t6_8M?"),
        ("esm2_t33_650", "Did you mean esm2_t33_650M?"),
        ("random:esm2_t6", "Did you mean esm2_t6_8M?"),
        ("random:", "unknown alias ''"),
        ("esm2_tiny", "Did you mean random:esm2_tiny?"),
        ("./nowhere", "no folder, alias or hub id './nowhere'"),
        ("/nowhere/at/all", "no folder, alias or hub id"),
        ("a/b/c", "no folder, alias or hub id"),
    ],
)
def test_an_unknown_name_is_an_error_that_suggests_one(name: str, said: str):
    with pytest.raises(BackboneError) as caught:
        load_backbone(name, options=OFFLINE)
    assert said in str(caught.value)
    assert str(caught.value).startswith("--backbone: ")


def test_a_folder_without_config_is_an_error(tmp_path: Path):
    with pytest.raises(BackboneError, match=r"holds no config\.json"):
        load_backbone(str(tmp_path))


def test_a_folder_without_weights_is_an_error(tmp_path: Path):
    (save_checkpoint(tmp_path) / "model.safetensors").unlink()
    with pytest.raises(BackboneError, match=r"holds no weights; expected model\.safetensors"):
        load_backbone(str(tmp_path))


def test_a_folder_without_alphabet_is_an_error(tmp_path: Path):
    (save_checkpoint(tmp_path) / "vocab.txt").unlink()
    with pytest.raises(BackboneError, match=r"holds no alphabet; expected vocab\.txt"):
        load_backbone(str(tmp_path))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"model_type": "esm", "vocab_size": "many"}'])
def test_a_config_that_cannot_be_read_is_an_error(tmp_path: Path, text: str):
    (save_checkpoint(tmp_path) / "config.json").write_text(text)
    with pytest.raises(BackboneError, match=r"cannot read .*config\.json|config\.json is empty"):
        load_backbone(str(tmp_path))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            GPT2Config().to_dict(),
            "a model of type 'gpt2'; expected one of esm, .*t5. Models that generate",
        ),
        ({"model_type": "esm9000"}, "a model of type 'esm9000'; expected one of esm"),
        ({"architectures": ["EsmModel"]}, "a model of type None; expected one of esm"),
    ],
)
def test_a_model_of_another_family_is_an_error(
    tmp_path: Path, settings: dict[str, object], said: str
):
    (tmp_path / "config.json").write_text(json.dumps(settings))
    with pytest.raises(BackboneError, match=said) as caught:
        load_backbone(str(tmp_path))
    assert str(caught.value).startswith("--backbone: ")


@pytest.mark.parametrize("checkpoint", ["esm2_folder", "prott5_folder"])
def test_a_decoder_is_an_error(tmp_path: Path, checkpoint: str, request: pytest.FixtureRequest):
    path = request.getfixturevalue(checkpoint) / "config.json"
    settings = json.loads(path.read_text()) | {"is_decoder": True}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    with pytest.raises(BackboneError, match="is a decoder, .*; expected an encoder"):
        load_backbone(str(tmp_path))


def test_a_number_of_layers_that_cannot_be_built_is_refused(tmp_path: Path):
    path = save_checkpoint(tmp_path) / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"num_hidden_layers": 2**31}))
    with pytest.raises(BackboneError, match=r"config\.json: num_hidden_layers.*at most 1,000"):
        load_backbone(str(tmp_path))


def test_a_damaged_tokenizer_is_an_error(tmp_path: Path):
    path = save_checkpoint(tmp_path) / "tokenizer_config.json"
    path.write_text(path.read_text()[:-20])
    with pytest.raises(BackboneError, match=r"tokenizer_config\.json: not valid JSON"):
        load_backbone(str(tmp_path))
