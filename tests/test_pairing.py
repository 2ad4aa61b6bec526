"""A pair has no order, to the last bit."""

import pytest
import torch

from peftide.pairing import Alone, MeanPairing, OrderFree, SideBySide, build_pairing


def random_rows(count: int = 40, width: int = 7) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(0)) * 100


@pytest.mark.parametrize("pairing", [OrderFree(), MeanPairing()])
def test_order_does_not_matter_bit_for_bit(pairing: torch.nn.Module):
    members = torch.randint(40, (200, 2), generator=torch.Generator().manual_seed(1))
    rows = random_rows()
    assert torch.equal(pairing(rows, members), pairing(rows, members.flip(1)))


@pytest.mark.parametrize("pairing", [OrderFree(), MeanPairing()])
def test_partners_matter(pairing: torch.nn.Module):
    features = pairing(random_rows(), torch.tensor([[0, 1], [0, 2], [1, 2]]))
    assert len(features.unique(dim=0)) == 3


def test_order_free_is_mean_difference_and_product():
    rows = torch.tensor([[1.0, -2.0], [5.0, 4.0]])
    expected = [[3.0, 1.0, 4.0, 6.0, 5.0, -8.0]]
    assert OrderFree()(rows, torch.tensor([[0, 1]])).tolist() == expected


def test_order_free_of_a_self_pair_has_no_difference():
    rows = torch.tensor([[1.0, -2.0]])
    expected = [[1.0, -2.0, 0.0, 0.0, 1.0, 4.0]]
    assert OrderFree()(rows, torch.tensor([[0, 0]])).tolist() == expected


def test_mean_pairing_is_the_mean():
    rows = torch.tensor([[1.0, -2.0], [5.0, 4.0]])
    assert MeanPairing()(rows, torch.tensor([[0, 1]])).tolist() == [[3.0, 1.0]]


def test_alone_returns_the_rows_asked_for():
    rows = random_rows()
    assert torch.equal(Alone()(rows, torch.tensor([[3], [0], [3]])), rows[[3, 0, 3]])


def test_side_by_side_is_both_vectors_in_their_order():
    rows = torch.tensor([[1.0, -2.0], [5.0, 4.0]])
    assert SideBySide()(rows, torch.tensor([[1, 0]])).tolist() == [[5.0, 4.0, 1.0, -2.0]]


@pytest.mark.parametrize("name", ["order_free", "mean"])
@pytest.mark.parametrize("pairs", [True, False])
def test_number_of_features_is_as_announced(name: str, pairs: bool):
    pairing = build_pairing(name, pairs=pairs)
    members = torch.zeros((4, 2 if pairs else 1), dtype=torch.long)
    assert pairing(random_rows(), members).shape == (4, pairing.features(7))


def test_pairing_by_name():
    assert isinstance(build_pairing("order_free", pairs=True), OrderFree)
    assert isinstance(build_pairing("mean", pairs=True), MeanPairing)
    for head in ("dot", "mlp,dot"):
        assert isinstance(build_pairing("order_free", pairs=True, head=head), SideBySide)
    assert isinstance(build_pairing("order_free", pairs=False), Alone)
    assert SideBySide().features(7) == 14
