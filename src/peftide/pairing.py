"""Vectors of the proteins of an example → the features its head sees."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


class Alone(nn.Module):
    """One protein or residue per example: its vector as it is."""

    def features(self, width: int) -> int:
        """Return the number of features F."""
        return width

    def forward(
        self, rows: Float[Tensor, "R D"], members: Int[Tensor, "B 1"]
    ) -> Float[Tensor, "B F"]:
        """Return the row of each example."""
        return rows[members[:, 0]]


class OrderFree(nn.Module):
    """[mean, |a−b|, a∘b]: exactly the same for (a, b) and (b, a)."""

    def features(self, width: int) -> int:
        """Return the number of features F."""
        return 3 * width

    def forward(
        self, rows: Float[Tensor, "R D"], members: Int[Tensor, "B 2"]
    ) -> Float[Tensor, "B F"]:
        """Return the paired features of each example.

        Examples
        --------
        >>> rows = torch.tensor([[1.0, 2.0], [3.0, -2.0]])
        >>> OrderFree()(rows, torch.tensor([[0, 1]])).tolist()
        [[2.0, 0.0, 2.0, 4.0, 3.0, -4.0]]
        """
        return self.pair(rows[members[:, 0]], rows[members[:, 1]])

    def pair(self, a: Float[Tensor, "*B D"], b: Float[Tensor, "*B D"]) -> Float[Tensor, "*B F"]:
        """Return the features of pairs of vectors."""
        return torch.cat([(a + b) / 2, (a - b).abs(), a * b], dim=-1)


class MeanPairing(nn.Module):
    """The mean of both vectors alone, the form of the paper's reference code."""

    def features(self, width: int) -> int:
        """Return the number of features F."""
        return width

    def forward(
        self, rows: Float[Tensor, "R D"], members: Int[Tensor, "B 2"]
    ) -> Float[Tensor, "B F"]:
        """Return the mean vector of each example."""
        return self.pair(rows[members[:, 0]], rows[members[:, 1]])

    def pair(self, a: Float[Tensor, "*B D"], b: Float[Tensor, "*B D"]) -> Float[Tensor, "*B D"]:
        """Return the features of pairs of vectors."""
        return (a + b) / 2


class SideBySide(nn.Module):
    """[a, b], for a head that takes care of the order by itself."""

    def features(self, width: int) -> int:
        """Return the number of features F."""
        return 2 * width

    def forward(
        self, rows: Float[Tensor, "R D"], members: Int[Tensor, "B 2"]
    ) -> Float[Tensor, "B F"]:
        """Return both vectors of each example."""
        return rows[members].flatten(1)


PAIRINGS: dict[str, type[OrderFree] | type[MeanPairing]] = {
    "order_free": OrderFree,
    "mean": MeanPairing,
}
Pairing = Alone | OrderFree | MeanPairing | SideBySide


def build_pairing(name: str, *, pairs: bool, head: str = "mlp") -> Pairing:
    """Return the pairing of an option and a head, or `Alone` for tasks on single sequences."""
    if not pairs:
        return Alone()
    return SideBySide() if "dot" in head.split(",") else PAIRINGS[name]()
