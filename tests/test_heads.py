"""Shapes and sizes of the heads, and the formula of each."""

from typing import Any

import pytest
import torch
from torch.nn import functional

from peftide.heads import DotHead, Ensemble, build_head, build_heads
from peftide.pairing import PAIRINGS, SideBySide


@pytest.mark.parametrize("name", ["linear", "mlp", "dot"])
def test_one_row_of_logits_per_example(name: str):
    head = build_heads(1, name, features=12, outputs=5, width=8, dropout=0.1)
    assert head(torch.randn(3, 12)).shape == (3, 5)


def test_sizes_are_those_counted_by_hand():
    counts = {
        name: sum(
            p.numel()
            for p in build_head(name, features=12, outputs=5, width=8, dropout=0.1).parameters()
        )
        for name in ["linear", "mlp"]
    }
    assert counts == {"linear": 12 * 5 + 5, "mlp": 12 * 8 + 8 + 8 * 5 + 5}


def test_mlp_is_one_hidden_layer_with_gelu():
    head = build_head("mlp", features=4, outputs=2, width=3, dropout=0.5).eval()
    first, second = [layer for layer in head if isinstance(layer, torch.nn.Linear)]
    rows = torch.randn(6, 4)
    hidden = functional.gelu(rows @ first.weight.T + first.bias)
    torch.testing.assert_close(head(rows), hidden @ second.weight.T + second.bias)


def test_dot_is_a_signed_inner_product_of_hidden_vectors():
    head = DotHead(features=8, outputs=1, width=3, dropout=0.5).eval()
    a, b = torch.randn(2, 6, 4)
    layer = head.hidden[1]
    assert isinstance(layer, torch.nn.Linear)
    hidden = [functional.gelu(x @ layer.weight.T + layer.bias) for x in (a, b)]
    u = [h @ head.project.weight.T + head.project.bias for h in hidden]
    alone = (hidden[0] + hidden[1]) @ head.own.weight[0] + head.own.bias
    expected = (u[0] * u[1]) @ head.signs.weight[0] + alone
    torch.testing.assert_close(head(torch.cat([a, b], dim=1))[:, 0], expected)


def test_the_order_of_a_pair_does_not_matter_to_dot():
    head = DotHead(features=64, outputs=3, width=16, dropout=0.5).eval()
    a, b = torch.randn(2, 33, 32)
    assert torch.equal(head(torch.cat([a, b], dim=1)), head(torch.cat([b, a], dim=1)))


@pytest.mark.parametrize("pairing", ["order_free", "mean"])
def test_both_forms_see_the_pairs_that_they_see_alone(pairing: str):
    sizes: dict[str, Any] = {"outputs": 2, "width": 8, "dropout": None}
    mixed = build_heads(2, "mlp,dot", pairing=pairing, features=8, **sizes).eval()
    assert isinstance(mixed, Ensemble)
    rows, members = torch.randn(7, 4), torch.tensor([[0, 1], [5, 2], [6, 6]])
    beside, paired = SideBySide()(rows, members), PAIRINGS[pairing]()
    expected = []
    for number, head in enumerate(mixed.members):
        if number >= 2:
            assert isinstance(head, DotHead)
            expected.append(head(beside))
            continue
        alone = build_head("mlp", features=paired.features(4), **sizes).eval()
        alone.load_state_dict(
            dict(zip(alone.state_dict(), head.state_dict().values(), strict=True))
        )
        expected.append(alone(paired(rows, members)))
    torch.testing.assert_close(mixed(beside), torch.stack(expected).mean(dim=0))
    flipped = SideBySide()(rows, members.flip(1))
    assert torch.equal(mixed(beside), mixed(flipped))


def test_each_form_has_its_own_default_dropout():
    mixed = build_heads(1, "mlp,dot", features=8, outputs=1, width=8, dropout=None)
    assert isinstance(mixed, Ensemble)
    shares = [
        {layer.p for layer in head.modules() if isinstance(layer, torch.nn.Dropout)}
        for head in mixed.members
    ]
    assert shares == [{0.1}, {0.3}]


def test_dropout_acts_in_training_only():
    head = build_head("mlp", features=64, outputs=1, width=64, dropout=0.5)
    rows = torch.ones(2, 64)
    assert not torch.equal(head.train()(rows), head(rows))
    assert torch.equal(head.eval()(rows), head(rows))
