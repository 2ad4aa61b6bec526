"""T5 encoders: published shapes, their tokenizer files, and attention with a bias by distance."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from sentencepiece import sentencepiece_model_pb2
from transformers import T5EncoderModel

from peftide.backbones import t5
from peftide.backbones.loading import load_backbone
from peftide.backbones.names import ALIASES
from peftide.backbones.t5 import LETTERS, biased_attention, load_t5, t5_tokenizer
from peftide.errors import BackboneError
from peftide.tokens import read_vocabulary

PUBLISHED = {  # parameters of the encoder: the papers named beside the aliases
    "prot_t5": 1.2e9,
    "ankh_base": 450e6,
    "ankh_large": 1.15e9,
}


@pytest.mark.parametrize(("alias", "published"), PUBLISHED.items())
def test_aliases_have_the_published_number_of_parameters(alias: str, published: float):
    with torch.device("meta"):
        model = T5EncoderModel(ALIASES[alias][1]())
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(published, rel=0.02)


def test_aliases_stand_for_hub_ids():
    assert {alias: hub_id for alias, (hub_id, _) in ALIASES.items() if alias in PUBLISHED} == {
        "prot_t5": "Rostlab/prot_t5_xl_half_uniref50-enc",
        "ankh_base": "ElnaggarLab/ankh-base",
        "ankh_large": "ElnaggarLab/ankh-large",
    }


def test_own_alphabet_has_the_ids_of_prott5():
    # github.com/agemagician/ProtTrans: <pad> 0, </s> 1, <unk> 2, A 3, L 4, G 5, ..., X 23
    vocabulary = read_vocabulary(t5_tokenizer(None))
    assert vocabulary.encode("ALGX").tolist() == [3, 4, 5, 23, 1]
    assert (vocabulary.prefix, vocabulary.suffix) == ((), (1,))


def sentencepiece_model(path: Path) -> None:
    """Write a vocabulary as sentencepiece does: ProtT5 comes with nothing else."""
    form: Any = sentencepiece_model_pb2
    model = form.ModelProto()
    for token, kind in [("<pad>", 3), ("</s>", 3), ("<unk>", 2)]:
        model.pieces.add(piece=token, score=0.0, type=kind)
    for letter in LETTERS:
        model.pieces.add(piece=f"▁{letter}", score=-1.0, type=1)
    model.trainer_spec.unk_id = 2
    path.write_bytes(model.SerializeToString())


@pytest.fixture
def published_prott5(prott5_folder: Path, tmp_path: Path) -> Path:
    """ProtT5 with the tokenizer file that the hub has."""
    folder = shutil.copytree(prott5_folder, tmp_path / "prott5")
    for path in folder.glob("tokenizer*"):
        path.unlink()
    sentencepiece_model(folder / "spiece.model")
    return folder


def test_a_sentencepiece_vocabulary_gives_the_same_ids(published_prott5: Path):
    found, expected = (read_vocabulary(t5_tokenizer(f)) for f in (published_prott5, None))
    assert found.letter_ids.tolist() == expected.letter_ids.tolist()
    assert (found.prefix, found.suffix) == (expected.prefix, expected.suffix)


def test_sentencepiece_that_is_not_installed_is_one_error(
    published_prott5: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(t5, "find_spec", lambda _name: None)
    with pytest.raises(BackboneError, match="sentencepiece and google.protobuf must be") as caught:
        load_backbone(str(published_prott5))
    assert caught.value.fix == "pip install 'peftide[sentencepiece]'"


def test_a_folder_without_tokenizer_is_an_error(published_prott5: Path):
    (published_prott5 / "spiece.model").unlink()
    with pytest.raises(BackboneError, match=r"no tokenizer; expected tokenizer\.json or spiece"):
        load_backbone(str(published_prott5))


def test_ankhs_tokenizer_file_is_read_as_it_stands(ankh_folder: Path):
    vocabulary = load_backbone(str(ankh_folder)).vocabulary
    # U, Z, O and B are Ankh's own tokens
    assert vocabulary.encode("GSUZBOX").tolist() == [5, 7, 26, 27, 24, 25, 23, 1]
    assert vocabulary.unknown_letters == {"J"}


def test_a_decoder_beside_the_encoder_is_left_out(prott5_folder: Path):
    names = load_t5(prott5_folder).state_dict()
    assert any(name.startswith("decoder") for name in load_file(prott5_folder / WEIGHTS))
    assert not any(name.startswith("decoder") for name in names)


WEIGHTS = "model.safetensors"


def test_a_missing_tensor_is_an_error_not_random_numbers(prott5_folder: Path, tmp_path: Path):
    folder = shutil.copytree(prott5_folder, tmp_path / "prott5")
    tensors = load_file(folder / WEIGHTS)
    del tensors["encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(BackboneError, match="lack 1 tensor, .*relative_attention_bias"):
        load_t5(folder)


def test_bias_is_made_for_the_longest_sequence_only(prott5_folder: Path):
    backbone = load_backbone(str(prott5_folder))
    attention = backbone.model.encoder.block[0].layer[0].SelfAttention
    asked = []
    made = attention.compute_bias
    attention.compute_bias = lambda *sizes: asked.append(sizes) or made(*sizes)
    with torch.no_grad():
        backbone(backbone.pack(["A" * 30, "ACD", "A" * 9], max_length=None))
    assert asked == [(31, 31)]


def test_distance_matters(prott5_folder: Path):
    """With one residue repeated, only the bias tells the places apart."""
    backbone = load_backbone(str(prott5_folder))
    with torch.no_grad():
        rows = backbone(backbone.pack(["A" * 8], max_length=None))
    assert (rows[0] - rows[4]).abs().max() > 0.01


def test_attention_equals_softmax_by_hand():
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(1, 2, 9, 4, generator=generator) for _ in range(3))
    bias = torch.randn(1, 2, 5, 5, generator=generator)
    lengths = (2, 2, 5)
    settings: Any = {"scaling": 1.0, "dropout": 0.0, "position_bias": bias}
    mixed, weights = biased_attention(
        torch.nn.Identity(), query, key, value, None, sequence_lengths=lengths, **settings
    )
    start = 0
    for length in lengths:
        run = slice(start, start + length)
        scores = query[:, :, run] @ key[:, :, run].transpose(2, 3) + bias[:, :, :length, :length]
        expected = (scores.softmax(dim=-1) @ value[:, :, run]).transpose(1, 2)
        torch.testing.assert_close(mixed[:, run], expected)
        start += length
    assert weights is None


def test_the_bias_learns_under_full_fine_tuning(ankh_folder: Path):
    backbone = load_backbone(str(ankh_folder))
    backbone.model.requires_grad_(True)
    backbone(backbone.pack(["MKVLLA", "ACD"], max_length=None)).square().sum().backward()
    bias = backbone.model.encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight
    assert bias.grad is not None
    assert bias.grad.abs().sum() > 0


def test_bf16_vectors_point_the_same_way(ankh_folder: Path):
    backbone = load_backbone(str(ankh_folder))
    batch = backbone.pack(["MKVLLA" * 5, "ACD", "WYWKKR"], max_length=None)
    with torch.no_grad():
        exact = backbone(batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rounded = backbone(batch)
    assert not torch.equal(exact, rounded)
    assert torch.nn.functional.cosine_similarity(exact, rounded.float()).mean() > 0.999


def test_the_shape_of_a_published_config_is_read(tmp_path: Path, prott5_folder: Path):
    """ProtT5's own names: d_model and num_layers."""
    folder = shutil.copytree(prott5_folder, tmp_path / "prott5")
    settings = json.loads((folder / "config.json").read_text())
    assert "hidden_size" not in settings
    backbone = load_backbone(str(folder))
    assert (backbone.width, backbone.layers, backbone.max_residues) == (
        settings["d_model"],
        settings["num_layers"],
        None,
    )
