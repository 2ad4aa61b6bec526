"""A stack of heads computes what each head computes alone, with the same random numbers."""

from typing import Any

import pytest
import torch
from torch import nn

from peftide.heads import build_heads
from peftide.resume_points import seed_step
from peftide.training.stack import Draws, HeadStack

SEEDS, STEPS = (7, 8, 3), (5, 5, 2)
FEATURES, OUTPUTS = 12, 2


def heads(name: str, dropout: float) -> list[nn.Module]:
    torch.manual_seed(0)
    settings: dict[str, Any] = {"features": FEATURES, "outputs": OUTPUTS, "width": 8}
    return [build_heads(1, name, dropout=dropout, **settings).train() for _ in SEEDS]


def alone(head: nn.Module, rows: torch.Tensor, *, seed: int, step: int) -> torch.Tensor:
    seed_step(seed, step)
    return head(rows)


@pytest.mark.parametrize("sizes", [(6, 6, 6), (4, 7, 0), (1, 0, 0)])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("name", ["linear", "mlp", "dot"])
def test_logits_and_gradients_are_those_of_each_head_alone(
    name: str, dropout: float, sizes: tuple[int, ...]
) -> None:
    single = heads(name, dropout)
    features = torch.randn(sum(sizes), FEATURES)
    parts = features.split(sizes)
    expected = [
        alone(head, rows, seed=seed, step=step)
        for head, rows, seed, step in zip(single, parts, SEEDS, STEPS, strict=True)
    ]
    torch.stack([logits.square().sum() for logits in expected]).sum().backward()

    together = heads(name, dropout)
    stack = HeadStack(together, Draws(SEEDS, torch.device("cpu"))).train()
    stack.draws.begin(STEPS, sizes)
    logits = stack(features)
    logits.square().sum().backward()
    stack.share_gradients()
    torch.testing.assert_close(logits, torch.cat(expected), atol=1e-5, rtol=1e-5)
    for found, wanted in zip(together, single, strict=True):
        gradients = [p.grad for p in wanted.parameters()]
        for parameter, gradient in zip(found.parameters(), gradients, strict=True):
            torch.testing.assert_close(parameter.grad, gradient, atol=1e-5, rtol=1e-5)


def test_an_optimizer_step_of_one_head_changes_the_stack() -> None:
    members = heads("mlp", 0.0)
    stack = HeadStack(members, Draws(SEEDS, torch.device("cpu")))
    optimizer = torch.optim.AdamW(members[1].parameters(), lr=0.1, fused=True)
    features, sizes = torch.randn(6, FEATURES), (2, 2, 2)
    stack.draws.begin(STEPS, sizes)
    before = stack(features)
    before.sum().backward()
    stack.share_gradients()
    optimizer.step()
    after = stack(features)
    assert torch.equal(after[:2], before[:2])
    assert torch.equal(after[4:], before[4:])
    torch.testing.assert_close(after[2:4], members[1](features[2:4]))
    assert not torch.allclose(after[2:4], before[2:4])
