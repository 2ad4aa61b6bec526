"""Products of 8-bit numbers: exact integers, whatever the shape, the threads and who multiplies."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from peftide.native import building, int8
from peftide.native.building import build
from peftide.native.int8 import Int8Matrix, Library, library, multiply, rounded
from peftide.native.running import PAIR_UNITS, has_units

compiled = pytest.mark.skipif(
    library() is None, reason="needs a CPU with AVX512-VNNI and a C compiler"
)


@pytest.fixture(params=["bf16 units", "fp32 units", "tiles"])
def by(request: pytest.FixtureRequest) -> Library:
    """Libraries for CPUs with AVX512-BF16 and without, and one for which torch multiplies."""
    pairs = has_units(PAIR_UNITS)
    if request.param == "bf16 units" and not pairs:
        pytest.skip("needs a CPU with AVX512-BF16")
    found = build(int8.SOURCES, has_bf16=pairs and request.param != "fp32 units")
    assert found is not None
    return replace(Library.of(found), by_tiles=request.param == "tiles")


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def by_hand(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The product of numbers rounded to 127 steps on both sides of zero, in double precision."""

    def steps(x: Tensor) -> Tensor:
        scale = x.double().abs().amax(dim=1, keepdim=True) / 127
        return (x.double() / scale.clamp_min(1e-300)).round() * scale

    plain = steps(rows) @ steps(weight).T
    return plain if bias is None else plain + bias.double()


@compiled
@pytest.mark.parametrize("count", [1, 5, 6, 97, 600])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (3, 17), (40, 33), (322, 100), (64, 320)])
def test_the_product_is_that_of_the_rounded_numbers(
    by: Library, count: int, inputs: int, outputs: int
) -> None:
    rows, weight = numbers(count, inputs).bfloat16(), numbers(outputs, inputs, seed=1)
    bias = numbers(outputs, seed=2)
    found = multiply(rounded(rows, by), Int8Matrix.of(weight, bias, by), by)
    # one rounding to bf16; a number half-way between two steps may go either way
    step = 2 * rows.abs().max() / 127 * weight.abs().max()
    error = (found.double() - by_hand(rows, weight, bias)).abs()
    assert (error <= 2**-8 * found.double().abs() + step).all()
    assert error.mean() <= 2**-8 * found.double().abs().mean()


@compiled
def test_without_a_bias(by: Library) -> None:
    rows, weight = numbers(9, 40).bfloat16(), numbers(20, 40, seed=1)
    zero = multiply(rounded(rows, by), Int8Matrix.of(weight, torch.zeros(20), by), by)
    assert torch.equal(multiply(rounded(rows, by), Int8Matrix.of(weight, None, by), by), zero)


@compiled
def test_gelu_is_torchs(by: Library) -> None:
    """Of -8 to 8: the product of one input of 1 with the weight 1 is 1, so the bias decides."""
    bias = torch.linspace(-8, 8, 3_201)
    matrix = Int8Matrix.of(torch.zeros(len(bias), 1), bias, by)
    found = multiply(rounded(torch.ones(1, 1).bfloat16(), by), matrix, by, gelu=True)[0]
    expected = functional.gelu(bias)
    torch.testing.assert_close(found.float(), expected, rtol=2**-8, atol=3e-5)


@compiled
def test_gelu_far_from_zero(by: Library) -> None:
    bias = torch.tensor([-1e30, -100.0, 100.0, 1e30])
    matrix = Int8Matrix.of(torch.zeros(4, 1), bias, by)
    found = multiply(rounded(torch.ones(1, 1).bfloat16(), by), matrix, by, gelu=True)[0]
    torch.testing.assert_close(found.float(), bias.clamp_min(0), rtol=2**-8, atol=0)


@compiled
@pytest.mark.parametrize("threads", [2, 5])
def test_threads_change_nothing(by: Library, threads: int) -> None:
    rows, matrix = numbers(1_001, 48).bfloat16(), Int8Matrix.of(numbers(70, 48, seed=1), None, by)
    alone = multiply(rounded(rows, by), matrix, by)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        together = multiply(rounded(rows, by), matrix, by)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(alone, together)


@compiled
def test_both_ways_to_multiply_give_the_same_bits() -> None:
    found = library()
    assert found is not None
    ways = [replace(found, by_tiles=by_tiles) for by_tiles in (False, True)]
    rows, weight = numbers(77, 50).bfloat16(), numbers(90, 50, seed=1)
    one, other = (
        multiply(rounded(rows, way), Int8Matrix.of(weight, None, way), way, gelu=True)
        for way in ways
    )
    assert torch.equal(one, other)


@compiled
def test_rows_of_zeros_and_other_strides(by: Library) -> None:
    rows, matrix = numbers(8, 40).bfloat16(), Int8Matrix.of(numbers(16, 40, seed=1), None, by)
    rows[3] = 0
    found = multiply(rounded(rows, by), matrix, by)
    assert (found[3] == 0).all()
    assert torch.equal(multiply(rounded(rows.T.contiguous().T, by), matrix, by), found)


@compiled
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_numbers_that_are_not_finite_stay_in_their_row(by: Library, value: float) -> None:
    rows, matrix = numbers(8, 40).bfloat16(), Int8Matrix.of(numbers(16, 40, seed=1), None, by)
    rows[5, 7] = value
    found = multiply(rounded(rows, by), matrix, by)
    assert (~found.isfinite()).any(dim=1).nonzero().flatten().tolist() == [5]


@compiled
def test_a_library_with_wrong_numbers_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    names = ("round", "multiply", "finish")
    text = "".join(f"int peftide_{name}(void) {{ return 0; }}\n" for name in names)
    (tmp_path / "halves.c").write_text("")
    (tmp_path / "int8.c").write_text(text)
    monkeypatch.setattr(building, "files", lambda _package: tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    library.cache_clear()
    try:
        assert library() is None
        assert "int8" in caplog.text
    finally:
        library.cache_clear()


@pytest.mark.parametrize(
    ("units", "compiler", "said"),
    [(False, "cc", "AVX512-VNNI"), (True, None, "C compiler"), (True, "cc", "could not be built")],
)
def test_the_state_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, units: bool, compiler: str | None, said: str
) -> None:
    monkeypatch.setattr(int8, "has_units", lambda *_units: units)
    monkeypatch.setattr(int8, "library", lambda: None)
    monkeypatch.setattr(int8, "find_compiler", lambda: compiler)
    assert said in int8.state()


@compiled
def test_the_state_where_it_works() -> None:
    assert int8.state() == "yes"


def test_without_the_units_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(int8, "has_units", lambda *_units: False)
    library.cache_clear()
    try:
        assert library() is None
    finally:
        library.cache_clear()
