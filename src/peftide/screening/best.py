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
        own, who = self.scores[proteins], self.partners[proteins]
        better = torch.nonzero(scores.amax(dim=1) > own[:, -1])[:, 0]  # most blocks change few
        new, columns = scores[better].topk(min(own.shape[1], scores.shape[1]), dim=1)
        both = torch.cat([own[better], new], dim=1)
        names = torch.cat([who[better], columns + partners.start], dim=1)
        own[better], order = both.topk(own.shape[1], dim=1)
        who[better] = names.gather(1, order)
