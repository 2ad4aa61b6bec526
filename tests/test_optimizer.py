import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from peftide.optimizer import OptimizerStep

GRADIENTS = (0.1, 3.0, 50.0, 0.0)


def two_groups() -> tuple[list[nn.Parameter], torch.optim.AdamW]:
    first, second = (nn.Parameter(torch.arange(1.0, 4.0)) for _ in range(2))
    groups = [{"params": [first], "lr": 0.5}, {"params": [second], "lr": 0.01}]
    return [first, second], torch.optim.AdamW(groups)


def set_gradients(parameters: list[nn.Parameter], size: float) -> None:
    for number, parameter in enumerate(parameters):
        parameter.grad = torch.linspace(-size, size, 3) + number


def rate(step: int) -> float:
    return 1 / (1 + step)


def test_steps_are_those_of_torch_alone() -> None:
    """Bit for bit: clip, AdamW, and a rate per group, by torch's own schedule."""
    found, optimizer = two_groups()
    step = OptimizerStep(optimizer, found, rate=rate, max_grad_norm=1.0)
    expected, other = two_groups()
    schedule = LambdaLR(other, rate)
    for number, size in enumerate(GRADIENTS):
        set_gradients(found, size)
        set_gradients(expected, size)
        norm = step.take(number)
        assert torch.equal(norm, nn.utils.clip_grad_norm_(expected, 1.0))
        other.step()
        schedule.step()
        assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


def test_the_rates_of_a_step_depend_on_its_number_alone() -> None:
    """So a resumed training needs no state of a schedule."""
    parameters, optimizer = two_groups()
    step = OptimizerStep(optimizer, parameters, rate=rate, max_grad_norm=1.0)
    for number in (3, 0, 9):
        step.set_rates(number)
        rates = [group["lr"] for group in optimizer.param_groups]
        assert rates == pytest.approx([0.5 / (1 + number), 0.01 / (1 + number)])


def test_the_method_has_its_turn_while_gradients_are_there() -> None:
    parameters, optimizer = two_groups()
    before = [p.detach().clone() for p in parameters]
    seen: list[int] = []

    def after(number: int) -> None:
        seen.append(number)
        assert all(p.grad is not None for p in parameters)
        assert not any(torch.equal(*pair) for pair in zip(parameters, before, strict=True))

    step = OptimizerStep(optimizer, parameters, rate=rate, max_grad_norm=1.0, after=after)
    set_gradients(parameters, 1.0)
    step.take(4)
    assert seen == [4]
    assert all(p.grad is None for p in parameters)
