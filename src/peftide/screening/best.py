"""Scores that arrive block by block → the best partners of each protein."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

NOBODY = -1


@dataclass
class BestPartners:
    """The best partners of each protein so far, the best first.

    Attributes
    ----------
    scores
        Logits, −inf where there is no partner yet. Shape (P, k).
    partners
        Places of the partners, −1 where there is none. Shape (P, k).
    """

    scores: Float[Tensor, "P K"]
    partners: Int[Tensor, "P K"]

    @classmethod
    def empty(cls, count: int, k: int) -> "BestPartners":
        """Return the state before the first block."""
        return cls(
            torch.full((count, k), -torch.inf), torch.full((count, k), NOBODY, dtype=torch.int64)
        )

    def add(self, proteins: slice, partners: slice, scores: Float[Tensor, "R N"]) -> None:
        """Take the scores of a block of proteins with a range of partners.

        Parameters
        ----------
        scores
            Logits; −inf leaves a pair out. Shape (proteins, partners).
        """
        names = torch.arange(partners.start, partners.stop).expand(len(scores), -1)
        both = torch.cat([self.scores[proteins], scores], dim=1)
        who = torch.cat([self.partners[proteins], names], dim=1)
        self.scores[proteins], order = both.topk(self.scores.shape[1], dim=1)
        self.partners[proteins] = who.gather(1, order)
