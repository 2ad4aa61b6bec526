"""The compiled steps between products give torch's numbers, whatever the width and threads."""

from pathlib import Path

import pytest
import torch
from torch import nn

from peftide.native import building, running
from peftide.native.passes import add_to, added_and_normed, library, normed, takes

compiled = pytest.mark.skipif(library() is None, reason="needs a CPU with AVX-512 and a C compiler")
WIDTHS = [1, 16, 40, 320, 1283]


def norm_of(width: int) -> nn.LayerNorm:
    generator = torch.Generator().manual_seed(1)
    norm = nn.LayerNorm(width, eps=1e-3)
    for parameter in norm.parameters():
        parameter.data = torch.randn(width, generator=generator)
    return norm.requires_grad_(False)


def states(width: int, tokens: int = 300) -> tuple[torch.Tensor, torch.Tensor]:
    """Hidden states far from zero, as those of a trained model, and what is added to them."""
    generator = torch.Generator().manual_seed(0)
    hidden, added = 3 + 5 * torch.randn((2, tokens, width), generator=generator)
    return hidden, added.bfloat16()


@compiled
@pytest.mark.parametrize("width", WIDTHS)
def test_the_norm_is_torchs_rounded_once(width: int) -> None:
    norm, (hidden, _) = norm_of(width), states(width)
    expected = norm(hidden)
    # one rounding to bf16, 8 bits
    torch.testing.assert_close(normed(norm, hidden).float(), expected, rtol=2**-8, atol=1e-4)


@compiled
@pytest.mark.parametrize("width", WIDTHS)
def test_the_sum_is_exact_and_normed(width: int) -> None:
    norm, (hidden, added) = norm_of(width), states(width)
    before = hidden.clone()
    total, found = added_and_normed(norm, hidden, added)
    assert torch.equal(hidden, before)
    assert torch.equal(total, hidden + added)
    torch.testing.assert_close(found.float(), norm(total), rtol=2**-8, atol=1e-4)


@compiled
def test_adding_in_place() -> None:
    hidden, added = states(40)
    expected = hidden + added
    add_to(hidden, added)
    assert torch.equal(hidden, expected)


@compiled
def test_numbers_to_add_are_read_whatever_their_strides() -> None:
    hidden, added = states(40)
    expected = hidden + added
    add_to(hidden, added.T.contiguous().T)
    assert torch.equal(hidden, expected)


@compiled
@pytest.mark.parametrize("threads", [2, 5])
def test_threads_change_nothing(threads: int) -> None:
    norm, (hidden, added) = norm_of(320), states(320, tokens=1_001)
    alone = added_and_normed(norm, hidden, added)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        together = added_and_normed(norm, hidden, added)
    finally:
        torch.set_num_threads(before)
    assert all(map(torch.equal, alone, together))


@compiled
def test_numbers_that_are_not_finite_stay_in_their_token() -> None:
    norm, (hidden, _) = norm_of(40), states(40)
    hidden[7, 3] = torch.nan
    assert normed(norm, hidden).isnan().any(dim=1).nonzero().flatten().tolist() == [7]


@compiled
def test_what_it_takes() -> None:
    norm, (hidden, _) = norm_of(40), states(40)
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        assert takes(norm, hidden)
        assert not takes(norm, hidden.double())
        assert not takes(norm, hidden.T)
        assert not takes(nn.Sequential(norm), hidden)
        assert not takes(nn.LayerNorm(40, elementwise_affine=False), hidden)
        with torch.enable_grad():
            assert not takes(norm, hidden)
    with torch.no_grad():
        assert not takes(norm, hidden)


@compiled
def test_a_library_with_wrong_numbers_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "halves.c").write_text("")
    (tmp_path / "passes.c").write_text("int peftide_pass(void) { return 0; }\n")
    monkeypatch.setattr(building, "files", lambda _package: tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    library.cache_clear()
    try:
        assert library() is None
        assert "which are slower" in caplog.text
    finally:
        library.cache_clear()


def test_without_the_units_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "has_units", lambda: False)
    library.cache_clear()
    try:
        assert library() is None
    finally:
        library.cache_clear()
