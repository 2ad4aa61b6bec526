"""The compiled attention gives torch's numbers for any lengths, heads, threads and strides."""

import ctypes

import pytest
import torch
from torch.nn import functional

from peftide.backbones.esm_layer import _turns, turned
from peftide.native import attention, building
from peftide.native.attention import WIDTHS, _shares, attend_compiled, is_compiled, library

LENGTHS = [1, 7, 31, 32, 33, 100, 300]
compiled = pytest.mark.skipif(
    library() is None, reason="needs a CPU with AVX512-BF16 and a C compiler"
)


def rows(width: int, heads: int = 3, *, seed: int = 0) -> list[torch.Tensor]:
    """Queries, keys and values of packed sequences of `LENGTHS`, as a layer makes them."""
    generator = torch.Generator().manual_seed(seed)
    made = torch.randn((3, sum(LENGTHS), heads, width), generator=generator).bfloat16()
    return [tensor.transpose(0, 1)[None] for tensor in made]


def by_torch(inputs: list[torch.Tensor], scale: float) -> torch.Tensor:
    """The same in fp32, one sequence at a time."""
    parts = [tensor.float().split(LENGTHS, dim=2) for tensor in inputs]
    mixed = [
        functional.scaled_dot_product_attention(*part, scale=scale)
        for part in zip(*parts, strict=True)
    ]
    return torch.cat(mixed, dim=2).transpose(1, 2)


@compiled
@pytest.mark.parametrize("width", sorted(WIDTHS))
def test_it_equals_torch(width):
    inputs = rows(width)
    assert is_compiled(*inputs)
    mixed = attend_compiled(inputs, LENGTHS, scale=0.3)
    expected = by_torch(inputs, 0.3)
    assert mixed.shape == expected.shape
    assert mixed.dtype == torch.bfloat16
    # weights and result are rounded to bf16, 8 bits: at most 2^-8 of a value each
    torch.testing.assert_close(mixed.float(), expected, atol=0.02, rtol=0.01)
    similar = functional.cosine_similarity(mixed.float(), expected, dim=-1)
    assert similar.min() > 0.9999


@compiled
@pytest.mark.parametrize("width", sorted(WIDTHS))
def test_it_turns_queries_and_keys_by_their_positions(width):
    query, key, value = rows(width)
    angles = torch.linspace(0, 50, sum(LENGTHS))[:, None] * torch.rand(width // 2)
    both = torch.cat([angles, angles], dim=-1)[None]
    turns = (both.cos(), both.sin())
    mixed = attend_compiled([query, key, value], LENGTHS, scale=0.3, turns=turns)
    before = [
        turned(tensor[0].transpose(0, 1).float(), _turns(*turns)).transpose(0, 1)[None]
        for tensor in (query, key)
    ]
    expected = by_torch([*before, value], 0.3)
    similar = functional.cosine_similarity(mixed.float(), expected, dim=-1)
    assert similar.min() > 0.9995


@compiled
@pytest.mark.parametrize("threads", [2, 3, 16])
def test_threads_change_nothing(threads):
    inputs = rows(16, heads=5)
    alone = attend_compiled(inputs, LENGTHS, scale=0.3)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        together = attend_compiled(inputs, LENGTHS, scale=0.3)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(alone, together)


@compiled
def test_a_sequence_does_not_depend_on_its_neighbours():
    inputs = rows(24)
    together = attend_compiled(inputs, LENGTHS, scale=0.3)[0].split(LENGTHS)
    for number, length in enumerate(LENGTHS):
        part = [tensor.split(LENGTHS, dim=2)[number] for tensor in inputs]
        assert torch.equal(attend_compiled(part, [length], scale=0.3)[0], together[number])


@compiled
def test_numbers_that_are_not_finite_stay_in_their_sequence():
    inputs = rows(32)
    inputs[1][0, :, 10] = torch.nan  # a token of the third sequence
    mixed = attend_compiled(inputs, LENGTHS, scale=0.3)[0].split(LENGTHS)
    assert [bool(part.isnan().any()) for part in mixed] == [n == 2 for n in range(len(LENGTHS))]
    assert mixed[2].isnan().all()


@compiled
def test_rows_with_other_strides_are_read_as_they_are():
    inputs = rows(64)
    expected = attend_compiled(inputs, LENGTHS, scale=0.3)
    heads_first = [tensor.contiguous() for tensor in inputs]
    side_by_side = torch.cat([tensor.transpose(1, 2) for tensor in inputs], dim=-2)
    parts = [part.transpose(1, 2) for part in side_by_side.split(3, dim=-2)]
    assert torch.equal(attend_compiled(heads_first, LENGTHS, scale=0.3), expected)
    assert torch.equal(attend_compiled(parts, LENGTHS, scale=0.3), expected)


@compiled
def test_large_scores_do_not_overflow():
    inputs = [200 * tensor for tensor in rows(16)]
    mixed = attend_compiled(inputs, LENGTHS, scale=1.0).float()
    expected = by_torch(inputs, 1.0)
    similar = functional.cosine_similarity(mixed, expected, dim=-1)
    assert mixed.isfinite().all()
    assert similar.quantile(0.01) > 0.999


def test_it_takes_bf16_without_gradients_only():
    query, key, value = rows(16)
    assert not is_compiled(query.float(), key.float(), value.float())
    assert not is_compiled(*(tensor[..., :10] for tensor in (query, key, value)))
    needs = value.clone().requires_grad_()
    assert not is_compiled(query, key, needs)
    with torch.no_grad():
        assert is_compiled(query, key, needs) == (library() is not None)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_shares_of_threads_cover_everything_once(threads):
    shares = _shares(torch.tensor(LENGTHS).numpy(), 5, threads)
    covered = [item for start, end in shares for item in range(start, end)]
    assert covered == list(range(5 * len(LENGTHS)))
    assert len(shares) <= threads


@compiled
def test_a_library_with_wrong_numbers_is_not_used(monkeypatch, caplog, tmp_path):
    (tmp_path / "attention.c").write_text("int peftide_attend(void) { return 0; }\n")
    monkeypatch.setattr(building, "files", lambda _package: tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    library.cache_clear()
    try:
        assert library() is None
        assert "torch's attention instead" in caplog.text
        assert not is_compiled(*rows(16))
    finally:
        library.cache_clear()


@compiled
def test_the_arguments_are_laid_out_as_in_the_source():
    names = [name for name, _ in attention.Rows._fields_]
    assert names[:7] == ["query", "key", "value", "cosine", "sine", "out", "ends"]
    assert ctypes.sizeof(attention.Rows) == 7 * 8 + 6 * 8 + 8  # the float is padded to 8 bytes
