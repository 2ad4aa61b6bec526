"""Products of half-precision numbers on any CPU are those of plain matrices of rounded numbers."""

import pytest
import torch
from torch import nn

from peftide.backbones import wide_products
from peftide.backbones.wide_products import WideLinear, use_wide_products


def widened(model: nn.Module, monkeypatch: pytest.MonkeyPatch, *, native: bool) -> nn.Module:
    monkeypatch.setattr(wide_products, "native_half", lambda *_: native)
    use_wide_products(model)
    return model


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("bias", [True, False])
def test_products_and_gradients_are_those_of_the_rounded_numbers(
    dtype: torch.dtype, bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    linear = widened(nn.Sequential(nn.Linear(6, 4, bias=bias)), monkeypatch, native=False)
    inputs, weights = torch.randn(2, 3, 6, requires_grad=True), torch.randn(2, 3, 4).to(dtype)
    with torch.autocast("cpu", dtype=dtype):
        found = linear(inputs)
    assert found.dtype is dtype
    sources = [inputs, *linear.parameters()]
    gradients = torch.autograd.grad(found, sources, weights)
    rounded = [x.detach().to(dtype).double().requires_grad_() for x in sources]
    expected = nn.functional.linear(*rounded)
    torch.testing.assert_close(found.double(), expected, atol=0, rtol=2**-7)
    for first, second in zip(
        gradients, torch.autograd.grad(expected, rounded, weights.double()), strict=True
    ):
        torch.testing.assert_close(first.double(), second, atol=1e-6, rtol=2**-7)


def test_without_autocast_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, inputs = nn.Linear(6, 4), torch.randn(3, 6)
    expected = plain(inputs)
    model = widened(nn.Sequential(plain), monkeypatch, native=False)
    assert type(plain) is WideLinear
    assert torch.equal(model(inputs), expected)


def test_a_cpu_with_units_for_bf16_keeps_its_own_products(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = nn.Linear(6, 4)
    widened(nn.Sequential(plain), monkeypatch, native=True)
    assert type(plain) is nn.Linear


def test_a_frozen_matrix_is_held_in_half_precision_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph keeps the matrix itself, not its wide copy."""
    linear = nn.Linear(6, 4).to(torch.bfloat16).requires_grad_(False)
    widened(nn.Sequential(linear), monkeypatch, native=False)
    inputs, kept = torch.randn(3, 6, requires_grad=True), []
    with (
        torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x) or x, lambda x: x),
        torch.autocast("cpu", dtype=torch.bfloat16),
    ):
        linear(inputs)
    assert {tensor.dtype for tensor in kept} == {torch.bfloat16}
    assert any(tensor.data_ptr() == linear.weight.data_ptr() for tensor in kept)
