"""Tokens attend to their own piece, and to all of it."""

import pytest
import torch
from torch.nn import functional
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from peftide.pretraining.attention import ROW_ATTENTION, register_row_attention, row_attention

LENGTHS = (3, 1, 6)


def inputs(seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(2, 4, sum(LENGTHS), 8, generator=generator) for _ in range(3)]


def same_piece() -> torch.Tensor:
    owner = torch.repeat_interleave(torch.arange(len(LENGTHS)), torch.tensor(LENGTHS))
    return (owner[:, None] == owner[None, :]).expand(2, 1, -1, -1)


def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    options = {"scaling": 0.5, "same_piece": same_piece()}
    mixed, weights = row_attention(torch.nn.Identity(), query, key, value, None, **options)
    assert weights is None
    return mixed.transpose(1, 2)


def test_each_piece_is_attended_as_if_alone() -> None:
    query, key, value = inputs()
    expected = [
        functional.scaled_dot_product_attention(q, k, v, scale=0.5)
        for q, k, v in zip(*(t.split(LENGTHS, dim=2) for t in (query, key, value)), strict=True)
    ]
    torch.testing.assert_close(attend(query, key, value), torch.cat(expected, dim=2))


@pytest.mark.parametrize("changed", [0, 1, 2])
def test_a_changed_piece_changes_no_other(changed: int) -> None:
    tensors, others = inputs(), inputs(seed=1)
    start = sum(LENGTHS[:changed])
    place = slice(start, start + LENGTHS[changed])
    before = attend(*tensors)
    for tensor, other in zip(tensors, others, strict=True):
        tensor[:, :, place] = other[:, :, place]
    differs = (attend(*tensors) != before).any(dim=(0, 1, 3))
    expected = torch.zeros(sum(LENGTHS), dtype=torch.bool)
    expected[place] = True
    assert torch.equal(differs, expected)


def test_no_gradient_crosses_pieces() -> None:
    query, key, value = (tensor.requires_grad_() for tensor in inputs())
    attend(query, key, value)[:, :, : LENGTHS[0]].sum().backward()
    for tensor in (query, key, value):
        assert tensor.grad is not None
        assert not tensor.grad[:, :, LENGTHS[0] :].any()
    assert value.grad is not None
    assert value.grad[:, :, : LENGTHS[0]].any()


def test_transformers_knows_the_attention_by_name() -> None:
    register_row_attention()
    assert AttentionInterface()[ROW_ATTENTION] is row_attention
    assert AttentionMaskInterface()[ROW_ATTENTION]() is None
