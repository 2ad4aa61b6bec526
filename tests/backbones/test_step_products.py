"""The gradient of a matrix that multiplies at every time step, beside plain autograd."""

import weakref

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from peftide.backbones import step_products
from peftide.backbones.step_products import StepProduct

STEPS, ROWS, WIDTH = 60, 8, 16
SEGMENT = 20


def matrix() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(WIDTH, WIDTH, bias=False)


def gradients(
    weight: nn.Linear, dtype: torch.dtype, *, is_plain: bool = False, recompute: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the gradients of the matrix and of the first state of a small recurrent network."""
    torch.manual_seed(1)
    first = torch.randn(ROWS, WIDTH, requires_grad=True)

    def segment(state: torch.Tensor, number: int) -> torch.Tensor:
        product = weight if is_plain else products.begin()
        for step in range(SEGMENT):
            state = state[: ROWS - step // 10 - number]  # sequences end
            state = (product(state).float() + 0.1).tanh()
        return state

    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype is torch.bfloat16):
        products, state = StepProduct(weight), first
        for number in range(STEPS // SEGMENT):
            run = (
                (lambda *a: checkpoint(segment, *a, use_reentrant=False)) if recompute else segment
            )
            state = run(state, number)
    state.square().sum().backward()
    assert weight.weight.grad is not None
    assert first.grad is not None
    return weight.weight.grad, first.grad


@pytest.mark.parametrize("recompute", [False, True])
def test_the_gradient_is_that_of_autograd(recompute: bool):
    found = gradients(matrix(), torch.float32, recompute=recompute)
    torch.testing.assert_close(found, gradients(matrix(), torch.float32, is_plain=True))


@pytest.mark.parametrize("recompute", [False, True])
def test_in_half_precision_it_is_nearer_to_fp32(recompute: bool):
    exact = gradients(matrix(), torch.float32, is_plain=True)[0]
    plain = gradients(matrix(), torch.bfloat16, is_plain=True)[0]
    found = gradients(matrix(), torch.bfloat16, recompute=recompute)[0]
    assert found.dtype is torch.float32
    assert (found - exact).norm() < (plain - exact).norm()
    assert (found - exact).norm() < 0.02 * exact.norm()


@pytest.mark.parametrize("recompute", [False, True])
def test_the_graph_of_a_step_goes_with_it(recompute: bool, monkeypatch: pytest.MonkeyPatch):
    """What a node of the graph keeps must not hold the graph: Python cannot free such a circle."""
    kept: list[weakref.ref[object]] = []

    class Watched(step_products._Segment):
        def __init__(self) -> None:
            super().__init__()
            kept.append(weakref.ref(self))

    monkeypatch.setattr(step_products, "_Segment", Watched)
    gradients(matrix(), torch.float32, recompute=recompute)
    assert len(kept) >= STEPS // SEGMENT
    assert not [one for one in kept if one() is not None]


def test_a_second_walk_through_the_graph_adds_no_step_twice():
    product = StepProduct(matrix())
    state = torch.ones(1, WIDTH, requires_grad=True)
    loss = product.begin()(state).sum()
    torch.autograd.grad(loss, state, retain_graph=True)
    loss.backward()
    assert isinstance(product.matrix, nn.Linear)
    torch.testing.assert_close(product.matrix.weight.grad, torch.ones(WIDTH, WIDTH))


def test_a_matrix_that_does_not_train_multiplies_itself():
    frozen, trained = matrix().requires_grad_(False), matrix()
    assert StepProduct(frozen).begin() is frozen
    assert StepProduct(trained).begin() is not trained
    with torch.no_grad():
        assert StepProduct(trained).begin() is trained
    wrapped = nn.Sequential(trained)
    assert StepProduct(wrapped).begin() is wrapped
