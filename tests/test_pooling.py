"""Each pooling against a loop over sequences."""

import math

import numpy as np
import pytest
import torch

from peftide.errors import InputError
from peftide.packing import PackedBatch, pack
from peftide.pooling import (
    AttentionPooling,
    ClsPooling,
    EndsPooling,
    MeanPooling,
    ResidueRows,
    WindowPooling,
    build_pooling,
)

LENGTHS = (5, 1, 9, 9)  # residues
WIDTH = 6


@pytest.fixture
def batch() -> PackedBatch:
    ids = [np.arange(length + 2) for length in LENGTHS]
    return pack(ids, first_position=2, prefix=1, suffix=1)


@pytest.fixture
def tokens() -> torch.Tensor:
    return torch.randn(sum(LENGTHS) + 2 * len(LENGTHS), WIDTH, generator=seeded())


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def sequences_of(tokens: torch.Tensor) -> list[torch.Tensor]:
    return list(tokens.split([length + 2 for length in LENGTHS]))


def test_mean_is_that_of_the_residues(batch: PackedBatch, tokens: torch.Tensor):
    expected = torch.stack([sequence[1:-1].mean(dim=0) for sequence in sequences_of(tokens)])
    torch.testing.assert_close(MeanPooling()(tokens, batch), expected)


def test_cls_is_the_first_token(batch: PackedBatch, tokens: torch.Tensor):
    expected = torch.stack([sequence[0] for sequence in sequences_of(tokens)])
    assert torch.equal(ClsPooling()(tokens, batch), expected)


def test_residue_rows_are_the_residues_in_order(batch: PackedBatch, tokens: torch.Tensor):
    expected = torch.cat([sequence[1:-1] for sequence in sequences_of(tokens)])
    assert torch.equal(ResidueRows()(tokens, batch), expected)


def test_attention_is_a_softmax_weighted_mean(batch: PackedBatch, tokens: torch.Tensor):
    pooling = AttentionPooling(WIDTH)
    query = torch.randn(WIDTH, generator=seeded())
    pooling.load_state_dict({"query": query})
    expected = []
    for sequence in sequences_of(tokens):
        weights = [math.exp(float(residue @ query)) for residue in sequence[1:-1]]
        terms = [w * residue for w, residue in zip(weights, sequence[1:-1], strict=True)]
        expected.append(torch.stack(terms).sum(dim=0) / sum(weights))
    torch.testing.assert_close(pooling(tokens, batch).detach(), torch.stack(expected))


def test_attention_starts_as_the_mean(batch: PackedBatch, tokens: torch.Tensor):
    pooled = AttentionPooling(WIDTH)(tokens, batch)
    torch.testing.assert_close(pooled.detach(), MeanPooling()(tokens, batch))


def test_attention_survives_large_scores(batch: PackedBatch, tokens: torch.Tensor):
    pooling = AttentionPooling(WIDTH)
    with torch.no_grad():
        pooling.query.fill_(1e4)
    assert pooling(tokens, batch).isfinite().all()


def test_attention_passes_a_gradient_to_its_query(batch: PackedBatch, tokens: torch.Tensor):
    pooling = AttentionPooling(WIDTH)
    pooling(tokens, batch).square().sum().backward()
    assert pooling.query.grad is not None
    assert pooling.query.grad.abs().min() > 0


@pytest.mark.parametrize("name", ["mean", "attention"])
def test_special_tokens_take_no_part(name: str, batch: PackedBatch, tokens: torch.Tensor):
    pooling = build_pooling(name, width=WIDTH, per_residue=False)
    changed = tokens.clone()
    ends = torch.cumsum(torch.tensor(batch.lengths), dim=0) - 1
    changed[batch.first_rows] += 100
    changed[ends] -= 100
    assert torch.equal(pooling(changed, batch), pooling(tokens, batch))


def test_bf16_tokens_are_summed_in_fp32(batch: PackedBatch, tokens: torch.Tensor):
    half = tokens.bfloat16()
    pooled = MeanPooling()(half, batch)
    assert pooled.dtype == torch.float32
    torch.testing.assert_close(pooled, MeanPooling()(half.float(), batch))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("mean", MeanPooling), ("cls", ClsPooling), ("attention", AttentionPooling)]
    + [("ends", EndsPooling), ("window", WindowPooling)],
)
def test_pooling_by_name(name: str, kind: type):
    assert isinstance(build_pooling(name, width=WIDTH, per_residue=False), kind)
    assert isinstance(build_pooling(name, width=WIDTH, per_residue=True), ResidueRows)


def test_the_first_token_of_a_backbone_that_starts_with_a_residue_is_refused():
    with pytest.raises(InputError, match=r"received cls.*expected mean, ends, window or attention"):
        build_pooling("cls", width=WIDTH, per_residue=False, starts_with_token=False)
    build_pooling("mean", width=WIDTH, per_residue=False, starts_with_token=False)


def test_ends_are_the_mean_and_the_means_of_two_windows_at_each_end():
    """Windows without residues have the mean of the sequence; special tokens stay out."""
    lengths = (5, 12, 64, 1)
    ids = [np.arange(length + 2) for length in lengths]
    batch = pack(ids, first_position=2, prefix=1, suffix=1)
    tokens = torch.randn(sum(lengths) + 2 * len(lengths), WIDTH, generator=seeded())
    expected = []
    for sequence in tokens.split([length + 2 for length in lengths]):
        residues = sequence[1:-1]
        row = [residues.mean(dim=0)]
        for read in (residues, residues.flip(0)):
            for window in (read[:10], read[10:30]):
                row.append(window.mean(dim=0) if len(window) else residues.mean(dim=0))
        expected.append(torch.cat(row))
    found = EndsPooling()(tokens, batch)
    torch.testing.assert_close(found, torch.stack(expected))
    assert found.shape == (4, EndsPooling.vectors * WIDTH)


def test_ends_of_half_precision_are_summed_in_full(batch: PackedBatch, tokens: torch.Tensor):
    pooled = EndsPooling()(tokens.bfloat16(), batch)
    assert pooled.dtype == torch.float32
    torch.testing.assert_close(pooled, EndsPooling()(tokens.bfloat16().float(), batch))


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_a_window_is_the_highest_mean_of_ten_neighbours(kind: torch.dtype):
    """A sequence of fewer residues is one window; special tokens and neighbours stay out."""
    lengths = (5, 12, 1, 64, 10, 9, 11)
    batch = pack([np.arange(n + 2) for n in lengths], first_position=2, prefix=1, suffix=1)
    tokens = torch.randn(sum(lengths) + 2 * len(lengths), WIDTH, generator=seeded()).to(kind)
    expected = []
    for sequence in tokens.float().split([length + 2 for length in lengths]):
        residues = sequence[1:-1]
        windows = residues.unfold(0, min(10, len(residues)), 1).mean(dim=2)
        expected.append(torch.cat([residues.mean(dim=0), windows.amax(dim=0)]))
    found = WindowPooling()(tokens, batch)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, torch.stack(expected))
