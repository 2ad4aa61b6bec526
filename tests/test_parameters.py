import torch
from torch import nn

from peftide.parameters import copy_trained, restore_trained, trained_parameters


def half_frozen() -> nn.Module:
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    model[0].requires_grad_(False)
    return model


def test_only_what_requires_a_gradient_counts_as_trained() -> None:
    assert list(trained_parameters(half_frozen())) == ["1.weight", "1.bias"]


def test_trained_values_are_copied_and_put_back() -> None:
    model = half_frozen()
    before = copy_trained(model)
    with torch.no_grad():
        for parameter in trained_parameters(model).values():
            parameter.add_(1)
    assert all(not torch.equal(before[n], p) for n, p in trained_parameters(model).items())
    restore_trained(model, before)
    assert all(torch.equal(before[n], p) for n, p in trained_parameters(model).items())
