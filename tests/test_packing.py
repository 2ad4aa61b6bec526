"""The packed forward equals the plain padded forward of `transformers`."""

from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.nn.attention import varlen
from transformers import EsmModel

from peftide import packing
from peftide.backbones import LayeredBackbone
from peftide.backbones.loading import load_backbone
from peftide.packing import (
    PackedBatch,
    equal_length_runs,
    pack,
    packed_attention,
    token_budget_batches,
)
from peftide.pooling import MeanPooling
from tests.conftest import padded_forward, plain_model, random_sequences, randomise, real_proteins

TOLERANCE = 1e-5
SEQUENCES = ["M", "MKVLLA", "WYWYWY", *random_sequences(12, lengths=(2, 60)), "ACXBZUO"]


@pytest.fixture(scope="module", params=["esm2_folder", "esm1b_folder"])
def folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def backbone(folder: Path) -> LayeredBackbone:
    return load_backbone(str(folder))


def packed_forward(
    backbone: LayeredBackbone, sequences: list[str], *, max_tokens: int = 100_000
) -> list[torch.Tensor]:
    found: dict[int, torch.Tensor] = {}
    lengths = [len(sequence) + 2 for sequence in sequences]
    for indices in token_budget_batches(lengths, max_tokens):
        batch = backbone.pack([sequences[k] for k in indices], max_length=None)
        with torch.no_grad():
            rows = backbone(batch).split(batch.lengths)
        found |= dict(zip(indices.tolist(), rows, strict=True))
    return [found[index] for index in range(len(sequences))]


def largest_difference(first: list[torch.Tensor], second: list[torch.Tensor]) -> float:
    return max(float((a - b).abs().max()) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("max_tokens", [1, 20, 64, 100_000])
def test_packed_equals_padded(folder: Path, backbone: LayeredBackbone, max_tokens: int):
    # 1 and 20 are smaller than single sequences: each of those is a batch of its own
    expected = padded_forward(plain_model(folder), SEQUENCES)
    found = packed_forward(backbone, SEQUENCES, max_tokens=max_tokens)
    assert [len(rows) for rows in found] == [len(sequence) + 2 for sequence in SEQUENCES]
    assert largest_difference(found, expected) < TOLERANCE


def test_one_sequence_equals_the_plain_forward(folder: Path, backbone: LayeredBackbone):
    model = plain_model(folder)
    for sequence in SEQUENCES:
        expected = padded_forward(model, [sequence])
        assert largest_difference(packed_forward(backbone, [sequence]), expected) < TOLERANCE


def test_attending_across_sequences_would_be_seen(backbone: LayeredBackbone):
    batch = backbone.pack(SEQUENCES[:4], max_length=None)
    as_one = replace(batch, lengths=(len(batch.input_ids),))
    with torch.no_grad():
        assert (backbone(batch) - backbone(as_one)).abs().max() > 1000 * TOLERANCE


def test_other_order_of_residues_would_be_seen(backbone: LayeredBackbone):
    right, other = (packed_forward(backbone, [text])[0] for text in ("MKVLLA", "MKLVLA"))
    assert (right[1] - other[1]).abs().max() > 1000 * TOLERANCE


def test_absolute_positions_that_do_not_restart_would_be_seen(esm1b_folder: Path):
    backbone = load_backbone(str(esm1b_folder))
    batch = backbone.pack(SEQUENCES[:4], max_length=None)
    running = replace(batch, position_ids=torch.arange(2, 2 + len(batch.input_ids)))
    with torch.no_grad():
        assert (backbone(batch) - backbone(running)).abs().max() > 1000 * TOLERANCE


def plain_copy(backbone: LayeredBackbone) -> EsmModel:
    """Return the model as `transformers` alone runs it."""
    model = EsmModel(deepcopy(backbone.model.config), add_pooling_layer=False).eval()
    model.load_state_dict(backbone.model.state_dict())
    model.set_attn_implementation("sdpa")
    return model


def test_packed_equals_padded_on_real_proteins(data: Path):
    sequences = real_proteins(data, 102)
    assert len(set(sequences)) == 102
    assert len(sequences[0]) < 60  # the shortest protein of this set
    assert len(sequences[-1]) > 1000
    backbone = load_backbone("random:esm2_t6_8M")
    randomise(backbone.model, std=0.05)
    model = plain_copy(backbone)
    groups = [sequences[start : start + 6] for start in range(0, len(sequences), 6)]
    expected = [rows for group in groups for rows in padded_forward(model, group)]
    found = packed_forward(backbone, sequences, max_tokens=1000)
    assert largest_difference(found, expected) < TOLERANCE


def test_padding_free_vectors_in_bf16_point_the_same_way(data: Path):
    sequences = real_proteins(data, 40)[:20]
    backbone = load_backbone("random:esm2_t6_8M")
    batch = backbone.pack(sequences, max_length=None)
    with torch.no_grad():
        exact = MeanPooling()(backbone(batch), batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rounded = MeanPooling()(backbone(batch), batch)
    assert not torch.equal(exact, rounded)
    assert functional.cosine_similarity(exact, rounded).min() >= 0.999


def test_pack_keeps_ids_and_restarts_positions():
    batch = pack([np.array([0, 5, 2]), np.array([0, 7, 8, 9, 2])], **SPECIAL)
    assert batch.input_ids.tolist() == [0, 5, 2, 0, 7, 8, 9, 2]
    assert batch.position_ids.tolist() == [2, 3, 4, 2, 3, 4, 5, 6]
    assert batch.residue_rows.tolist() == [1, 4, 5, 6]
    assert batch.residue_owner.tolist() == [0, 1, 1, 1]
    assert batch.first_rows.tolist() == [0, 3]
    assert batch.lengths == (3, 5)


def test_pack_without_special_tokens_keeps_all_as_residues():
    batch = pack([np.array([5, 6]), np.array([7])], first_position=0, prefix=0, suffix=0)
    assert batch.residue_rows.tolist() == [0, 1, 2]
    assert batch.residue_owner.tolist() == [0, 0, 1]


def test_a_batch_moves_with_all_its_tensors():
    batch = pack([np.array([0, 5, 2])], **SPECIAL).to(torch.device("meta"))
    devices = {value.device.type for value in vars(batch).values() if torch.is_tensor(value)}
    assert devices == {"meta"}
    assert batch.lengths == (3,)


@pytest.mark.parametrize("max_tokens", [1, 30, 64, 1000])
def test_batches_hold_every_sequence_once_within_the_budget(max_tokens: int):
    lengths = np.random.default_rng(0).integers(3, 80, size=200)
    batches = token_budget_batches(lengths, max_tokens)
    assert sorted(np.concatenate(batches).tolist()) == list(range(200))
    assert all(len(batch) == 1 or lengths[batch].sum() <= max_tokens for batch in batches)


def test_batches_are_no_more_than_needed():
    lengths = np.random.default_rng(0).integers(3, 80, size=200)
    batches = token_budget_batches(lengths, 1000)
    assert len(batches) <= np.ceil(lengths.sum() / (1000 - lengths.max()))


def test_batches_hold_sequences_of_like_length():
    batches = token_budget_batches([50, 3, 40, 4], 60)
    assert [batch.tolist() for batch in batches] == [[1, 3, 2], [0]]


def test_runs_cover_every_token_in_order():
    assert list(equal_length_runs([4, 4, 4, 2, 4])) == [(3, 4), (1, 2), (1, 4)]
    assert list(equal_length_runs([7])) == [(1, 7)]


def test_attention_equals_softmax_by_hand():
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(1, 2, 9, 4, generator=generator) for _ in range(3))
    lengths = (2, 2, 5)
    module = torch.nn.Identity()
    mixed, weights = packed_attention(
        module, query, key, value, None, scaling=0.7, sequence_lengths=lengths
    )
    owner = torch.repeat_interleave(torch.arange(3), torch.tensor(lengths))
    scores = 0.7 * query @ key.transpose(2, 3)
    scores = scores.masked_fill(owner[:, None] != owner[None, :], float("-inf"))
    expected = (scores.softmax(dim=-1) @ value).transpose(1, 2)
    torch.testing.assert_close(mixed, expected)
    assert weights is None


def test_in_bf16_the_way_back_is_that_of_fp32(monkeypatch: pytest.MonkeyPatch):
    """Bit for bit, under autocast too: torch's own way back in bf16 takes twice as long or more."""
    monkeypatch.setattr(packing, "is_compiled", lambda _: False)
    generator = torch.Generator().manual_seed(0)
    rounded = torch.randn(4, 1, 2, 9, 16, generator=generator).bfloat16()
    query, key, value = inputs = [x.detach().requires_grad_() for x in rounded[:3]]
    wide = [x.detach().float().requires_grad_() for x in inputs]
    attend_within = partial(packed_attention, torch.nn.Identity())
    lengths = (2, 2, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        options: dict[str, Any] = {"scaling": 0.7, "sequence_lengths": lengths}
        found, _ = attend_within(query, key, value, **options)
    expected, _ = attend_within(wide[0], wide[1], wide[2], **options)
    assert torch.equal(found, expected.bfloat16())
    seen = rounded[3].transpose(1, 2)
    for first, second in zip(
        torch.autograd.grad(found, inputs, seen),
        torch.autograd.grad(expected, wide, seen.float()),
        strict=True,
    ):
        assert torch.equal(first, second.bfloat16())
    for native in (False, True):
        monkeypatch.setattr(packing, "native_half", lambda *_, native=native: native)
        with torch.no_grad():
            plain, _ = attend_within(query, key, value, **options)
        # without a way back, in bf16 itself if the CPU multiplies it
        assert torch.equal(plain, found) is not native


@pytest.mark.parametrize("lengths", [(9,), (3, 3, 3), (4, 5), (1, 2, 5, 1)])
def test_padded_attention_is_that_of_each_sequence(lengths: tuple[int, ...]) -> None:
    """Values and gradients; the padding of a group is never seen."""
    rows = [x.requires_grad_() for x in torch.randn(3, 1, 2, 9, 8, dtype=torch.float64)]
    weights = torch.randn(1, 9, 2, 8, dtype=torch.float64)
    found, expected = (
        within(packing.attend, rows, lengths)
        for within in (packing.within_padded, packing.within_sequences)
    )
    torch.testing.assert_close(found, expected)
    for first, second in zip(
        torch.autograd.grad(found, rows, weights),
        torch.autograd.grad(expected, rows, weights),
        strict=True,
    ):
        torch.testing.assert_close(first, second)


def test_sorted_lengths_need_few_calls() -> None:
    """A packed batch of a GPU: 40 proteins of all lengths, in a tenth of the calls."""
    lengths = sorted(range(30, 1022, 25))
    groups = list(packing.similar_length_runs(lengths))
    assert [n for group in groups for n in group] == lengths
    assert len(groups) <= 17
    assert sum(len(g) * max(g) for g in groups) <= 1.13 * sum(lengths)


def test_flash_attention_is_told_where_sequences_end(monkeypatch: pytest.MonkeyPatch):
    """What the GPU's call gets: a stand-in computes it sequence by sequence."""
    query, key, value = torch.randn(3, 1, 2, 9, 8, generator=torch.Generator().manual_seed(0))
    options: dict[str, Any] = {"scaling": 0.7, "sequence_lengths": (2, 2, 5)}
    expected, _ = packed_attention(torch.nn.Identity(), query, key, value, None, **options)

    def stand_in(*arguments: Any, scale: float) -> torch.Tensor:
        *rows, ends, same_ends, longest, same_longest = arguments
        assert ends is same_ends
        assert ends.dtype is torch.int32
        assert longest == same_longest == 5
        parts = [x.tensor_split(ends[1:-1].long()) for x in rows]
        mixed = [
            functional.scaled_dot_product_attention(
                *(x.transpose(0, 1) for x in part), scale=scale
            ).transpose(0, 1)
            for part in zip(*parts, strict=True)
        ]
        return torch.cat(mixed)

    monkeypatch.setattr(packing, "takes_all_at_once", lambda _query: True)
    monkeypatch.setattr(varlen, "varlen_attn", stand_in)
    found, _ = packed_attention(torch.nn.Identity(), query, key, value, None, **options)
    torch.testing.assert_close(found, expected)


SPECIAL = {"first_position": 2, "prefix": 1, "suffix": 1}


@pytest.mark.gpu
def test_packed_on_a_gpu_equals_padded_on_the_cpu(folder: Path, backbone: LayeredBackbone):
    batch: PackedBatch = backbone.pack(SEQUENCES, max_length=None)
    with torch.no_grad():
        found = backbone.to("cuda")(batch.to(torch.device("cuda"))).cpu()
    backbone.to("cpu")
    expected = torch.cat(padded_forward(plain_model(folder), SEQUENCES))
    assert (found - expected).abs().max() < TOLERANCE


@pytest.mark.gpu
def test_one_call_on_a_gpu_in_half_precision_equals_the_cpu(backbone: LayeredBackbone):
    batch: PackedBatch = backbone.pack(SEQUENCES, max_length=None)
    with torch.no_grad():
        expected = backbone(batch)
        with torch.autocast("cuda", dtype=torch.bfloat16):
            found = backbone.to("cuda")(batch.to(torch.device("cuda"))).float().cpu()
    backbone.to("cpu")
    assert functional.cosine_similarity(found, expected).min() >= 0.99
