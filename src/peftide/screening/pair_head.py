"""A trained pairing and head → the scores of some proteins with many others, in few products.

The first layer of the head `mlp` sees [mean, |a−b|, a∘b]. Its part for the mean is linear in each
protein and is computed once per protein. For a given a, the part for a∘b is a product of b with
weights that are multiplied by a; the part for |a−b| is the second product of a pair. The head `dot`
is one product of matrices for all pairs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from peftide.heads import DotHead, Ensemble, FirstPaired
from peftide.pairing import OrderFree

Places = slice | Int[Tensor, " _"]
"""Which proteins: a range of them, or their places."""

PARTNERS_PER_PRODUCT = 2_048
"""Rows of a product, which fits into the caches of a processor core."""


@runtime_checkable
class PairScorer(Protocol):
    """Scores pairs of proteins by their places."""

    def scores(self, ones: Places, partners: Places) -> Float[Tensor, "R N"]:
        """Return the logits of some proteins with others."""
        ...


@dataclass(frozen=True)
class Dot:
    """A dot head, with its projection computed per protein.

    Attributes
    ----------
    left, right
        Projected vectors, with and without the signs. Shape (P, H).
    own
        Contribution of each protein alone, with half of the bias. Shape (P,).
    """

    left: Float[Tensor, "P H"]
    right: Float[Tensor, "P H"]
    own: Float[Tensor, " P"]

    def scores(self, ones: Places, partners: Places) -> Float[Tensor, "R N"]:
        """Return the logits of some proteins with others."""
        found = self.left[ones] @ self.right[partners].T
        found += self.own[partners]
        found += self.own[ones][:, None]
        return found


@dataclass(frozen=True)
class Folded:
    """A head with one hidden layer on order-free pairs, with its linear part computed per protein.

    Attributes
    ----------
    rows
        Scaled vectors of all proteins. Shape (P, D).
    own
        Contribution of each protein to the hidden layer, with half of the bias. Shape (P, H).
    of_gap, of_product
        Weights of |a−b| and of a∘b. Shape (D, H).
    last
        The output layer.
    """

    rows: Float[Tensor, "P D"]
    own: Float[Tensor, "P H"]
    of_gap: Float[Tensor, "D H"]
    of_product: Float[Tensor, "D H"]
    last: nn.Linear

    def scores(self, ones: Places, partners: Places) -> Float[Tensor, "R N"]:
        """Return the logits of some proteins with others."""
        others, theirs = self.rows[partners], self.own[partners]
        found = others.new_empty(len(self.rows[ones]), len(others))
        # the same memory for every product: new memory costs a fifth of the time
        gaps = others.new_empty(PARTNERS_PER_PRODUCT, others.shape[1])
        hidden = others.new_empty(PARTNERS_PER_PRODUCT, theirs.shape[1])
        for a, own, row in zip(self.rows[ones], self.own[ones], found, strict=True):
            of_b = self.of_product * a[:, None]
            start = 0
            for b, of_partner in zip(
                others.split(PARTNERS_PER_PRODUCT), theirs.split(PARTNERS_PER_PRODUCT), strict=True
            ):
                gap, h = gaps[: len(b)], hidden[: len(b)]
                torch.sub(b, a, out=gap).abs_()
                torch.add(of_partner, own, out=h)
                h.addmm_(gap, self.of_gap).addmm_(b, of_b)
                row[start : start + len(b)] = self.last(nn.functional.gelu(h))[:, 0]
                start += len(b)
        return found


@dataclass(frozen=True)
class Mean:
    """The mean score of several heads."""

    members: tuple[PairScorer, ...]

    def scores(self, ones: Places, partners: Places) -> Float[Tensor, "R N"]:
        """Return the mean logits of some proteins with others."""
        return torch.stack([head.scores(ones, partners) for head in self.members]).mean(dim=0)


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

    def scores(self, ones: Places, partners: Places) -> Float[Tensor, "R N"]:
        """Return the logits of some proteins with others."""
        places = torch.arange(len(self.rows), device=self.rows.device)
        found = []
        for one in places[ones]:
            parts = places[partners].split(PARTNERS_PER_PRODUCT)
            found.append(torch.cat([self._of(one, part) for part in parts]))
        return torch.stack(found)

    def _of(self, one: Tensor, partners: Int[Tensor, " N"]) -> Float[Tensor, " N"]:
        members = torch.stack([one.expand_as(partners), partners], dim=1)
        return self.head(self.pairing(self.rows, members))[:, 0]


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
    if isinstance(head, DotHead):
        return dot_scorer(head, scaled)
    if isinstance(head, nn.Sequential) and isinstance(first := head[0], FirstPaired):
        pairing, head = first.pairing, head[1:]
    layers = list(_linear_layers(head))
    if not (isinstance(pairing, OrderFree) and len(layers) == 2 and _has_gelu(head)):
        return Plain(scaled, pairing, head)
    first, last = layers
    of_mean, of_gap, of_product = first.weight.chunk(3, dim=1)
    own = (scaled @ of_mean.T + first.bias) / 2
    return Folded(scaled, own, of_gap.T.contiguous(), of_product.T.contiguous(), last)


def dot_scorer(head: DotHead, scaled: Float[Tensor, "P D"]) -> Dot:
    """Return the scorer of a dot head for proteins with these scaled vectors."""
    hidden = head.hidden(scaled)
    right = head.project(hidden)
    own = head.own(hidden)[:, 0] - head.own.bias / 2
    return Dot(right * head.signs.weight[0], right, own)


def _linear_layers(head: nn.Module) -> Iterator[nn.Linear]:
    yield from (layer for layer in _layers(head) if isinstance(layer, nn.Linear))


def _has_gelu(head: nn.Module) -> bool:
    kinds = [type(layer) for layer in _layers(head) if not isinstance(layer, nn.Dropout)]
    return kinds == [nn.Linear, nn.GELU, nn.Linear]


def _layers(head: nn.Module) -> Sequence[nn.Module]:
    return list(head) if isinstance(head, nn.Sequential) else []
