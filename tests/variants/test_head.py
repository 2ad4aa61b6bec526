"""The head of variants starts at its ridge regression."""

import torch

from peftide.heads import build_head
from peftide.variants.head import VariantHead

WILD_TYPE = "MKVLA"


def test_the_network_starts_at_zero_and_adds_to_the_ridge() -> None:
    network = build_head("mlp", features=4, outputs=1, width=8, dropout=0.0)
    head = VariantHead(WILD_TYPE, network).eval()
    rows = torch.cat([head.ridge.letters.float().expand(2, -1).clone(), torch.randn(2, 4)], dim=1)
    rows[0, 1] = 0
    head.ridge.table[1, 0] = 2.0
    assert head(rows)[:, 0].tolist() == [2.0, 0.0]
    last = network[-1]
    assert isinstance(last, torch.nn.Linear)
    torch.nn.init.ones_(last.bias)
    assert head(rows)[:, 0].tolist() == [3.0, 1.0]


def test_shares_become_logits() -> None:
    head = VariantHead(WILD_TYPE, None)
    head.answer_shares(0.25, 0.5)
    assert head(head.ridge.letters.float()[None])[0, 0] == -1.0


def test_sums_of_effects_are_counted_unless_training_had_combinations() -> None:
    head = VariantHead("MKV", None)
    assert head.added(["MKV", "MRV", "ARV"]) == 1
    head.ridge.solved = torch.ones(2)
    assert head.added(["ARV"]) == 0
