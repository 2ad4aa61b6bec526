"""The compiled attention gives torch's numbers for any lengths, heads, threads and strides."""

import ctypes
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from peftide.backbones.esm_layer import _turns, turned
from peftide.native import attention, building
from peftide.native.attention import (
    SOURCES,
    WIDTHS,
    Packing,
    _shares,
    attend_compiled,
    is_compiled,
    library,
    ways,
)
from peftide.native.running import PAIR_UNITS, TILES, has_units

LENGTHS = [1, 7, 31, 32, 33, 100, 300]
PACKING = Packing(LENGTHS, 0.3)
needs_units = pytest.mark.skipif(
    library() is None, reason="needs a CPU with AVX-512 and a C compiler"
)


def compiled(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test with each compiled function that this CPU has."""
    return needs_units(pytest.mark.usefixtures("way")(test))


NEEDED = {"fp32 units": (), "bf16 units": PAIR_UNITS, "tiles": TILES}


@pytest.fixture(params=NEEDED)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each function that this CPU can run, in place of the fastest."""
    if not has_units(NEEDED[request.param]):
        pytest.skip(f"needs a CPU with {request.param}")
    built = building.build(SOURCES, has_bf16=request.param != "fp32 units")
    assert built is not None
    name = "peftide_attend_tiles" if request.param == "tiles" else "peftide_attend"
    (chosen,) = [function for function in ways(built) if function.__name__ == name]
    monkeypatch.setattr(attention, "library", lambda: chosen)


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
def test_it_equals_torch(width: int) -> None:
    inputs = rows(width)
    assert is_compiled(inputs[0])
    mixed = attend_compiled(*inputs, packing=PACKING)
    expected = by_torch(inputs, 0.3)
    assert mixed.shape == expected.shape
    assert mixed.dtype == torch.bfloat16
    # weights and result are rounded to bf16, 8 bits: at most 2^-8 of a value each
    torch.testing.assert_close(mixed.float(), expected, atol=0.02, rtol=0.01)
    similar = functional.cosine_similarity(mixed.float(), expected, dim=-1)
    assert similar.min() > 0.9999


def positions(width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosine and sine of some turns, as the rotary embedding of an ESM gives them."""
    speeds = torch.rand(width // 2, generator=torch.Generator().manual_seed(2))
    angles = torch.linspace(0, 50, sum(LENGTHS))[:, None] * speeds
    both = torch.cat([angles, angles], dim=-1)[None]
    return both.cos(), both.sin()


def turned_rows(tensor: torch.Tensor, turns: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    return turned(tensor[0].transpose(0, 1), _turns(*turns)).transpose(0, 1)[None]


@compiled
@pytest.mark.parametrize("width", sorted(WIDTHS))
def test_it_turns_queries_and_keys_by_their_positions(width: int) -> None:
    query, key, value = rows(width)
    turns = positions(width)
    mixed = attend_compiled(query, key, value, packing=Packing(LENGTHS, 0.3, turns))
    before = [turned_rows(tensor.float(), turns) for tensor in (query, key)]
    expected = by_torch([*before, value], 0.3)
    similar = functional.cosine_similarity(mixed.float(), expected, dim=-1)
    assert similar.min() > 0.9995


@compiled
@pytest.mark.parametrize("threads", [2, 3, 16])
def test_threads_change_nothing(threads: int) -> None:
    inputs = rows(16, heads=5)
    alone = attend_compiled(*inputs, packing=PACKING)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        together = attend_compiled(*inputs, packing=PACKING)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(alone, together)


@compiled
def test_a_sequence_does_not_depend_on_its_neighbours() -> None:
    inputs = rows(24)
    together = attend_compiled(*inputs, packing=PACKING)[0].split(LENGTHS)
    for number, length in enumerate(LENGTHS):
        part = [tensor.split(LENGTHS, dim=2)[number] for tensor in inputs]
        assert torch.equal(
            attend_compiled(*part, packing=Packing([length], 0.3))[0], together[number]
        )


@compiled
def test_numbers_that_are_not_finite_stay_in_their_sequence() -> None:
    inputs = rows(32)
    inputs[1][0, :, 10] = torch.nan  # a token of the third sequence
    mixed = attend_compiled(*inputs, packing=PACKING)[0].split(LENGTHS)
    assert [bool(part.isnan().any()) for part in mixed] == [n == 2 for n in range(len(LENGTHS))]
    assert mixed[2].isnan().all()


@compiled
def test_rows_with_other_strides_are_read_as_they_are() -> None:
    inputs = rows(64)
    expected = attend_compiled(*inputs, packing=PACKING)
    heads_first = [tensor.contiguous() for tensor in inputs]
    side_by_side = torch.cat([tensor.transpose(1, 2) for tensor in inputs], dim=-2)
    parts = [part.transpose(1, 2) for part in side_by_side.split(3, dim=-2)]
    assert torch.equal(attend_compiled(*heads_first, packing=PACKING), expected)
    assert torch.equal(attend_compiled(*parts, packing=PACKING), expected)


@compiled
def test_large_scores_do_not_overflow() -> None:
    inputs = [200 * tensor for tensor in rows(16)]
    mixed = attend_compiled(*inputs, packing=Packing(LENGTHS, 1.0)).float()
    expected = by_torch(inputs, 1.0)
    similar = functional.cosine_similarity(mixed, expected, dim=-1)
    assert mixed.isfinite().all()
    assert similar.quantile(0.01) > 0.999


def test_it_takes_bf16_of_known_widths() -> None:
    query = rows(16)[0]
    assert is_compiled(query) == (library() is not None)
    assert not is_compiled(query.float())
    assert not is_compiled(query[..., :10])


@compiled
@pytest.mark.parametrize("with_turns", [False, True])
@pytest.mark.parametrize("width", sorted(WIDTHS))
def test_its_gradients_equal_those_of_torch_in_fp32(width: int, with_turns: bool) -> None:
    inputs = [tensor.requires_grad_() for tensor in rows(width)]
    turns = positions(width) if with_turns else None
    seen = rows(width, seed=1)[0].transpose(1, 2)
    mixed = attend_compiled(*inputs, packing=Packing(LENGTHS, 0.3, turns))
    wide = [tensor.detach().float().requires_grad_() for tensor in inputs]
    query, key = wide[:2] if turns is None else (turned_rows(tensor, turns) for tensor in wide[:2])
    expected = by_torch([query, key, wide[2]], 0.3)
    for found, true in zip(
        torch.autograd.grad(mixed, inputs, seen),
        torch.autograd.grad(expected, wide, seen.float()),
        strict=True,
    ):
        assert found.dtype == torch.bfloat16
        assert functional.cosine_similarity(found.float().flatten(), true.flatten(), 0) > 0.9999
        lengths = true.norm(dim=-1)
        error = (found.float() - true).norm(dim=-1)
        assert (error / lengths.clamp_min(0.1 * lengths.mean())).max() < 0.05


@compiled
def test_gradients_with_threads_and_strides_are_the_same() -> None:
    seen = rows(24, heads=5, seed=1)[0].transpose(1, 2)

    def gradients(inputs: list[torch.Tensor]) -> list[torch.Tensor]:
        needed = [tensor.detach().requires_grad_() for tensor in inputs]
        return [*torch.autograd.grad(attend_compiled(*needed, packing=PACKING), needed, seen)]

    expected = gradients(rows(24, heads=5))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        found = gradients([tensor.contiguous() for tensor in rows(24, heads=5)])
    finally:
        torch.set_num_threads(before)
    assert all(map(torch.equal, found, expected))


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_shares_of_threads_cover_everything_once(threads: int) -> None:
    shares = _shares(tuple(LENGTHS), 5, threads)
    covered = [item for start, end in shares for item in range(start, end)]
    assert covered == list(range(5 * len(LENGTHS)))
    assert len(shares) <= threads


@needs_units
def test_a_library_with_wrong_numbers_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    for source in SOURCES:
        (tmp_path / source).write_text("")
    functions = ("attend", "attend_tiles", "may_use_tiles")
    wrong = [
        f"int peftide_{name}(void) {{ return {name == 'may_use_tiles':d}; }}\n"
        for name in functions
    ]
    (tmp_path / SOURCES[-1]).write_text("".join(wrong))
    monkeypatch.setattr(building, "files", lambda _package: tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    library.cache_clear()
    try:
        assert library() is None
        assert "torch's attention instead" in caplog.text
        assert not is_compiled(rows(16)[0])
    finally:
        library.cache_clear()


def test_the_arguments_are_laid_out_as_in_the_source() -> None:
    names = [field[0] for field in attention.Rows._fields_]
    source = files("peftide.native").joinpath("words.c").read_text()
    fields = source[source.index("typedef struct {") : source.index("} Rows;")]
    without_comments = re.sub(r"/\*.*?\*/", "", fields)
    assert names == re.findall(r"(\w+)(?=[,;])", without_comments)
    assert ctypes.sizeof(attention.Rows) == 11 * 8 + 6 * 8 + 8  # the float is padded to 8 bytes
