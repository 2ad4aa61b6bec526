"""A trained pairing and head → the scores of one protein with many others, in few products.

The first layer of the head sees [mean, |a−b|, a∘b]. Its part for the mean is linear in each protein
and is computed once per protein; the other two parts are one product of 2 D columns per pair.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from peftide.heads import Ensemble
from peftide.pairing import OrderFree

PARTNERS_PER_PRODUCT = 2_048
"""Rows of a product, which fits into the caches of a processor core."""


@runtime_checkable
class PairScorer(Protocol):
    """Scores pairs of proteins by their places."""

    def scores(self, one: int, partners: slice) -> Float[Tensor, " N"]:
        """Return the logits of one protein with a range of others."""
        ...


@dataclass(frozen=True)
class Folded:
    """A head with one hidden layer on order-free pairs, with its linear part computed per protein.

    Attributes
    ----------
    rows
        Scaled vectors of all proteins. Shape (P, D).
    own
        Contribution of each protein to the hidden layer, with half of the bias. Shape (P, H).
    paired
        Weights of |a−b| and a∘b, one below the other. Shape (2 D, H).
    last
        The output layer.
    """

    rows: Float[Tensor, "P D"]
    own: Float[Tensor, "P H"]
    paired: Float[Tensor, "E H"]
    last: nn.Linear

    def scores(self, one: int, partners: slice) -> Float[Tensor, " N"]:
        """Return the logits of one protein with a range of others."""
        a, own, width = self.rows[one], self.own[one], self.rows.shape[1]
        others, theirs = self.rows[partners], self.own[partners]
        # the same memory for every product: new memory costs a fifth of the time
        features = self.rows.new_empty(PARTNERS_PER_PRODUCT, 2 * width)
        hidden = self.rows.new_empty(PARTNERS_PER_PRODUCT, len(own))
        found = []
        for b, of_b in zip(
            others.split(PARTNERS_PER_PRODUCT), theirs.split(PARTNERS_PER_PRODUCT), strict=True
        ):
            x, h = features[: len(b)], hidden[: len(b)]
            torch.sub(b, a, out=x[:, :width]).abs_()
            torch.mul(b, a, out=x[:, width:])
            torch.mm(x, self.paired, out=h)
            h += of_b
            h += own
            found.append(self.last(nn.functional.gelu(h))[:, 0])
        return torch.cat(found)


@dataclass(frozen=True)
class Mean:
    """The mean score of several heads."""

    members: tuple[PairScorer, ...]

    def scores(self, one: int, partners: slice) -> Float[Tensor, " N"]:
        """Return the mean logits of one protein with a range of others."""
        return torch.stack([head.scores(one, partners) for head in self.members]).mean(dim=0)


@dataclass(frozen=True)
class Plain:
    """Any pairing and head, as the model computes them.

    Attributes
    ----------
    rows
        Scaled vectors of all proteins. Shape (P, D).
    """

    rows: Float[Tensor, "P D"]
    pairing: nn.Module
    head: nn.Module

    def scores(self, one: int, partners: slice) -> Float[Tensor, " N"]:
        """Return the logits of one protein with a range of others."""
        places = torch.arange(partners.start, partners.stop, device=self.rows.device)
        found = []
        for some in places.split(PARTNERS_PER_PRODUCT):
            members: Int[Tensor, "B 2"] = torch.stack([torch.full_like(some, one), some], dim=1)
            found.append(self.head(self.pairing(self.rows, members))[:, 0])
        return torch.cat(found)


def pair_scorer(
    rows: Float[Tensor, "P D"], *, scaling: nn.Module, pairing: nn.Module, head: nn.Module
) -> PairScorer:
    """Return the scorer of the right half of a model for proteins with these vectors.

    Parameters
    ----------
    rows
        As `ProteinModel.encode` returns them. Shape (P, D).
    scaling, pairing, head
        The parts of the model, in evaluation mode.
    """
    scaled = scaling(rows)
    heads = list(head.members) if isinstance(head, Ensemble) else [head]
    scorers = [_scorer(pairing, one, scaled) for one in heads]
    return scorers[0] if len(scorers) == 1 else Mean(tuple(scorers))


def _scorer(pairing: nn.Module, head: nn.Module, scaled: Float[Tensor, "P D"]) -> PairScorer:
    layers = list(_linear_layers(head))
    if not (isinstance(pairing, OrderFree) and len(layers) == 2 and _has_gelu(head)):
        return Plain(scaled, pairing, head)
    first, last = layers
    of_mean, of_gap, of_product = first.weight.chunk(3, dim=1)
    own = (scaled @ of_mean.T + first.bias) / 2
    paired = torch.cat([of_gap, of_product], dim=1).T.contiguous()
    return Folded(scaled, own, paired, last)


def _linear_layers(head: nn.Module) -> Iterator[nn.Linear]:
    yield from (layer for layer in _layers(head) if isinstance(layer, nn.Linear))


def _has_gelu(head: nn.Module) -> bool:
    kinds = [type(layer) for layer in _layers(head) if not isinstance(layer, nn.Dropout)]
    return kinds == [nn.Linear, nn.GELU, nn.Linear]


def _layers(head: nn.Module) -> Sequence[nn.Module]:
    return list(head) if isinstance(head, nn.Sequential) else []
