"""Pieces that share a row have the logits that `transformers` gives each of them alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import EsmForMaskedLM

from peftide.backbones.esm import esm_config, esm_tokenizer
from peftide.backbones.esm_masked import EsmMaskedLM
from peftide.errors import BackboneError
from peftide.pretraining.attention import ROW_ATTENTION, register_row_attention
from peftide.pretraining.masking import mask_share
from tests.conftest import random_sequences, save_checkpoint

WEIGHTS = "model.safetensors"
TOKENIZER: Any = esm_tokenizer(None)
MASK_ID = TOKENIZER.convert_tokens_to_ids("<mask>")
FIRST_POSITION = TOKENIZER.convert_tokens_to_ids("<pad>") + 1


@pytest.fixture(params=["esm2_folder", "esm1b_folder"])
def folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


def masked_pieces() -> list[Tensor]:
    """Four pieces with no, one, some and only `<mask>` between their special tokens."""
    pieces = TOKENIZER(random_sequences(4, lengths=(5, 25), seed=1))["input_ids"]
    tokens = [torch.tensor(piece) for piece in pieces]
    tokens[1][3] = MASK_ID
    tokens[2][2:-1:3] = MASK_ID
    tokens[3][1:-1] = MASK_ID
    return tokens


def row_logits(model: EsmMaskedLM, pieces: list[Tensor], *, apart: bool = True) -> list[Tensor]:
    """Run the pieces in one row."""
    lengths = [len(piece) for piece in pieces]
    input_ids = torch.cat(pieces)[None]
    owner = torch.repeat_interleave(torch.arange(len(pieces)), torch.tensor(lengths))[None]
    position_ids = torch.cat([torch.arange(n) + FIRST_POSITION for n in lengths])[None]
    share = torch.from_numpy(mask_share(input_ids.numpy(), owner.numpy(), MASK_ID)).float()
    same = owner[:, None, :, None] == owner[:, None, None, :]
    register_row_attention()
    model.model.set_attn_implementation(ROW_ATTENTION)
    with torch.no_grad():
        embedded = model.embed(input_ids, position_ids, share)
        hidden = model.encode(embedded, position_ids, same_piece=same if apart else same | ~same)
        return list(model.predict(hidden[0]).split(lengths))


def alone_logits(folder: Path, pieces: list[Tensor]) -> list[Tensor]:
    plain = EsmForMaskedLM.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.no_grad():
        return [plain(p[None], attention_mask=torch.ones_like(p)[None]).logits[0] for p in pieces]


def test_pieces_of_a_row_have_the_logits_of_each_alone(folder: Path) -> None:
    pieces = masked_pieces()
    found = row_logits(EsmMaskedLM(folder).eval(), pieces)
    for piece, expected in zip(found, alone_logits(folder, pieces), strict=True):
        torch.testing.assert_close(piece, expected, atol=1e-5, rtol=1e-5)


def test_pieces_that_see_each_other_would_be_noticed(folder: Path) -> None:
    pieces = masked_pieces()
    together = torch.cat(row_logits(EsmMaskedLM(folder).eval(), pieces, apart=False))
    assert (together - torch.cat(alone_logits(folder, pieces))).abs().max() > 0.01


def test_a_scale_of_the_whole_row_would_be_noticed(folder: Path) -> None:
    """What `transformers` does with a row: one share of `<mask>` for all of its pieces."""
    pieces = masked_pieces()
    model = EsmMaskedLM(folder).eval()
    input_ids = torch.cat(pieces)[None]
    positions = torch.full_like(input_ids, FIRST_POSITION)
    whole = torch.full(input_ids.shape, float(torch.eq(input_ids, MASK_ID).float().mean()))
    none = torch.zeros(input_ids.shape)
    with torch.no_grad():
        a, b = (model.embed(input_ids, positions, share) for share in (whole, none))
    assert (a - b).abs().max() > 0.01


def test_a_configuration_gives_random_weights() -> None:
    torch.manual_seed(0)
    first = EsmMaskedLM(esm_config(2, 32, 4))
    second = EsmMaskedLM(esm_config(2, 32, 4))
    torch.manual_seed(0)
    again = EsmMaskedLM(esm_config(2, 32, 4))
    name = "model.esm.embeddings.word_embeddings.weight"
    assert not torch.equal(first.state_dict()[name], second.state_dict()[name])
    assert torch.equal(first.state_dict()[name], again.state_dict()[name])


def test_everything_but_the_contact_head_trains(folder: Path) -> None:
    model = EsmMaskedLM(folder)
    still = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert still == {f"model.esm.contact_head.regression.{kind}" for kind in ("weight", "bias")}
    assert all(not model.state_dict()[name].any() for name in still)


def without(folder: Path, name: str, target: Path) -> Path:
    save_checkpoint(target)
    tensors = load_file(folder / WEIGHTS)
    kept = {key: value for key, value in tensors.items() if not key.startswith(name)}
    assert len(kept) < len(tensors)
    save_file(kept, target / WEIGHTS, metadata={"format": "pt"})
    return target


def test_a_checkpoint_without_language_model_head_is_refused(
    esm2_folder: Path, tmp_path: Path
) -> None:
    headless = without(esm2_folder, "lm_head.", tmp_path / "headless")
    with pytest.raises(BackboneError, match="lack .* for instance lm_head") as caught:
        EsmMaskedLM(headless)
    assert "--backbone" in str(caught.value)


def test_a_checkpoint_without_contact_head_is_complete(esm2_folder: Path, tmp_path: Path) -> None:
    plain = without(esm2_folder, "esm.contact_head", tmp_path / "plain")
    assert len(row_logits(EsmMaskedLM(plain).eval(), masked_pieces())) == 4


def test_damaged_weights_are_one_error(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path / "damaged")
    (folder / WEIGHTS).write_bytes(b"nothing")
    with pytest.raises(BackboneError, match="cannot read the weights"):
        EsmMaskedLM(folder)


def test_half_precision_weights_are_trained_in_single(esm2_folder: Path, tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path / "bf16")
    tensors = {k: v.bfloat16() for k, v in load_file(esm2_folder / WEIGHTS).items()}
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    kinds = {p.dtype for p in EsmMaskedLM(folder).parameters()}
    assert kinds == {torch.float32}
    assert np.isfinite(float(torch.cat(row_logits(EsmMaskedLM(folder), masked_pieces())).sum()))
