import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from peftide.errors import TrainingError
from peftide.optimizer import LossScale, OptimizerStep

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


def test_a_scaled_loss_takes_the_same_steps() -> None:
    """The factor is a power of two, so nothing is rounded."""
    found, optimizer = two_groups()
    step = OptimizerStep(optimizer, found, rate=rate, max_grad_norm=1.0, scale=LossScale())
    expected, other = two_groups()
    plain = OptimizerStep(other, expected, rate=rate, max_grad_norm=1.0)
    assert plain.loss_factor == 1
    for number, size in enumerate(GRADIENTS):
        set_gradients(found, size)
        set_gradients(expected, size)
        for parameter in found:
            assert parameter.grad is not None
            parameter.grad.mul_(step.loss_factor)
        assert torch.equal(step.take(number), plain.take(number))
        assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


def test_the_factor_is_that_of_torch() -> None:
    """Beside `torch.amp.GradScaler`: overflow halves it, and many good steps double it."""
    parameters, optimizer = two_groups()
    scale = LossScale()
    step = OptimizerStep(optimizer, parameters, rate=rate, max_grad_norm=1.0, scale=scale)
    scale.GROWTH_STEPS = 3
    others, other = two_groups()
    scaler = torch.amp.GradScaler("cpu", growth_interval=3)
    for number in range(12):
        wrong = number in (0, 1, 6)
        before = [p.detach().clone() for p in parameters]
        for group in (parameters, others):
            set_gradients(group, torch.inf if wrong else 1.0)
        scaler.scale(torch.ones(()))
        scaler.step(other)
        scaler.update()
        step.take(number)
        assert scale.factor == scaler.get_scale()
        changed = not any(torch.equal(*pair) for pair in zip(parameters, before, strict=True))
        assert changed is not wrong
        assert all(p.grad is None for p in parameters)


def test_the_factor_of_a_resumed_training_is_the_one_it_had() -> None:
    parameters, _ = two_groups()
    scale, other = LossScale(), LossScale()
    set_gradients(parameters, torch.inf)
    assert not scale.unscale(parameters)
    set_gradients(parameters, 1.0)
    assert scale.unscale(parameters)
    other.restore(scale.state())
    assert (other.factor, other.good_steps) == (2.0**15, 1)


def test_gradients_that_overflow_at_every_factor_are_an_error() -> None:
    parameters, _ = two_groups()
    scale = LossScale()

    def overflow() -> None:
        for _ in range(99):
            set_gradients(parameters, torch.inf)
            scale.unscale(parameters)

    with pytest.raises(TrainingError, match=r"overflow in fp16.*Use --precision fp32"):
        overflow()
