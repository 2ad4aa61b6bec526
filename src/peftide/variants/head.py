"""Rows of variants → logits: ridge regression, and a network that learns the rest."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from peftide.variants.ridge import ROWS, VariantRidge
from peftide.variants.rows import letters_of

LOGIT_OF_SHARE = 4.0
"""Slope of log odds at a probability of one half."""


class VariantHead(nn.Module):
    """Ridge regression on letters, plus the output of a network on differences of embeddings.

    The last layer of the network starts at zero, so training starts at the ridge regression.

    Parameters
    ----------
    wild_type
        Sequence of L residues.
    network
        Head on the other columns of a row, or None.
    """

    slope: Tensor
    shift: Tensor

    def __init__(self, wild_type: str, network: nn.Sequential | None) -> None:
        super().__init__()
        self.ridge = VariantRidge(letters_of([wild_type])[0])
        self.register_buffer("slope", torch.tensor(1.0))
        self.register_buffer("shift", torch.tensor(0.0))
        self.network = network
        if network is not None:
            for parameter in network[-1].parameters():
                nn.init.zeros_(parameter)

    def prepare(self, state: dict[str, Tensor], prefix: str) -> None:
        """Give the ridge regression the shapes of a stored one."""
        start = f"{prefix}ridge."
        self.ridge.prepare(
            {name.removeprefix(start): t for name, t in state.items() if name.startswith(start)}
        )

    def added(self, sequences: Sequence[str]) -> int:
        """Return for how many variants the ridge regression only adds several effects."""
        if self.ridge.knows_combinations:
            return 0
        return sum(
            int(((self._events(sequences[start : start + ROWS]) >= 0).sum(dim=1) > 1).sum())
            for start in range(0, len(sequences), ROWS)
        )

    def _events(self, sequences: Sequence[str]) -> Int[Tensor, "B M"]:
        return self.ridge.events(letters_of(sequences).float().to(self.ridge.letters.device))

    def answer_shares(self, mean: float, spread: float) -> None:
        """Make logits out of predicted shares of yes, which have this mean and spread."""
        self.slope.fill_(LOGIT_OF_SHARE * spread)
        self.shift.fill_(LOGIT_OF_SHARE * (mean - 0.5))

    def forward(self, rows: Float[Tensor, "B F"]) -> Float[Tensor, "B 1"]:
        """Return one logit per row."""
        length = len(self.ridge.letters)
        logits = (self.slope * self.ridge(rows[:, :length]) + self.shift)[:, None]
        return logits if self.network is None else logits + self.network(rows[:, length:])
