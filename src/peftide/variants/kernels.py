"""The wild type and its residue embeddings → how alike substitutions are.

The effect of a substitution is a sum of effects of unlike kind: of the site, of its neighbourhood,
of the old letter, of the residue embeddings at the site and after it; each of these alone or
together with the new letter. A language model may add its score of each substitution. Each kind has
a kernel; weights say how much each kind varies. A variant is the sum of its substitutions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from peftide.sequences.mutants import LETTERS
from peftide.types import FloatArray
from peftide.variants.letters import letter_kernel

REACHES = {"near": 1.5, "region": 6.0, "domain": 30.0}
"""Kernel of neighbourhood → residues over which it falls to 1/e."""
AHEAD = 6
"""Residues, from the site on, whose mean embedding counts: a left-to-right model shows in later
residues what follows the site."""
ANY, ALIKE, SAME = range(3)
"""How the new letters of two substitutions count: not at all, by properties, or if equal."""
BLOCKS = (
    ("all", ANY),
    ("site", ANY),
    ("near", ANY),
    ("region", ANY),
    ("domain", ANY),
    ("old", ANY),
    ("model", ANY),
    ("ahead", ANY),
    ("all", ALIKE),
    ("site", ALIKE),
    ("near", ALIKE),
    ("region", ALIKE),
    ("old", ALIKE),
    ("model", ALIKE),
    ("ahead", ALIKE),
    ("site", SAME),
)
"""Kernel of the sites, and of the new letters, of each kind of effect."""
PAD = -1


@dataclass(frozen=True)
class SiteKernels:
    """Kernels of the sites of a protein.

    Attributes
    ----------
    by_name
        Name → kernel. Shape (L, L).
    scores
        Zero-shot score of each substitution, standardised; None without one. Shape (L, 20).
    """

    by_name: Mapping[str, Float[Tensor, "L L"]]
    scores: Float[Tensor, "L 20"] | None = None

    @property
    def count(self) -> int:
        """Return the number of weights."""
        return len(BLOCKS) + (self.scores is not None)


@dataclass(frozen=True)
class EventKernel:
    """The weighted kernel of single substitutions (events).

    k((p, a), (q, b)) = any[p, q] + alike[p, q] · letters[a, b] + same[p, q] · [a = b]
    + scores[p, a] · scores[q, b]

    Attributes
    ----------
    sites
        The three kernels of sites. Shape (3, L, L).
    scores
        Weighted zero-shot scores, or zeros. Shape (L, 20).
    """

    sites: Float[Tensor, "3 L L"]
    scores: Float[Tensor, "L 20"]

    def between(self, a: Int[Tensor, " E"], b: Int[Tensor, " F"]) -> Float[Tensor, "E F"]:
        """Return the kernel of two lists of events; an event is 20 · place + letter."""
        p, q, old, new = a // 20, b // 20, a % 20, b % 20
        letters = torch.from_numpy(letter_kernel()).to(self.sites)
        values = self.sites[ALIKE][p][:, q] * letters[old][:, new]
        values += self.sites[ANY][p][:, q]
        values += self.sites[SAME][p][:, q] * (old[:, None] == new[None])
        return values + torch.outer(self.scores.flatten()[a], self.scores.flatten()[b])

    def table(self, coefficients: Float[Tensor, "L 20"]) -> Float[Tensor, "L 20"]:
        """Return the sum of the kernel over all events with these coefficients."""
        letters = torch.from_numpy(letter_kernel()).to(self.sites)
        total = (self.sites[ANY] @ coefficients).sum(dim=1, keepdim=True)
        values = self.sites[ALIKE] @ coefficients @ letters + self.sites[SAME] @ coefficients
        return total + values + self.scores * (self.scores * coefficients).sum()

    def variances(self) -> Float[Tensor, "L 20"]:
        """Return the kernel of each event with itself."""
        return self.sites.diagonal(dim1=1, dim2=2).sum(dim=0)[:, None] + self.scores**2


def site_kernels(
    wild_type: str, embeddings: FloatArray, scores: FloatArray | None = None
) -> SiteKernels:
    """Return the kernels of the sites of a protein.

    Parameters
    ----------
    embeddings
        Residue embeddings of the wild type. Shape (L, D).
    scores
        Zero-shot score of each substitution. Shape (L, 20).
    """
    place = torch.arange(len(wild_type), dtype=torch.float64)
    distance = (place[:, None] - place[None]).abs()
    letters = torch.tensor([LETTERS.find(letter) for letter in wild_type])
    kernels = {"all": torch.ones_like(distance), "site": torch.eye(len(wild_type)).double()}
    kernels |= {name: torch.exp(-distance / reach) for name, reach in REACHES.items()}
    by_letter = torch.from_numpy(letter_kernel())
    kernels["old"] = by_letter[letters][:, letters]
    rows = torch.from_numpy(embeddings).double()
    kernels["model"] = _gaussian(rows)
    kernels["ahead"] = _gaussian(
        torch.stack([rows[p : p + AHEAD].mean(0) for p in range(len(rows))])
    )
    if scores is None:
        return SiteKernels(kernels)
    known = torch.from_numpy(scores).double()
    return SiteKernels(kernels, (known - known.mean()) / known.std().clamp(min=1e-6))


def weighted(kernels: SiteKernels, weights: Float[Tensor, " W"]) -> EventKernel:
    """Return the kernel of substitutions with these weights of its kinds."""
    sums = [torch.zeros_like(kernels.by_name["all"]) for _ in range(3)]
    for weight, (name, letters) in zip(weights, BLOCKS, strict=False):
        sums[letters] = sums[letters] + weight * kernels.by_name[name]
    scores = torch.zeros(len(sums[0]), len(LETTERS), dtype=torch.float64)
    if kernels.scores is not None:
        scores = weights[-1].sqrt() * kernels.scores
    return EventKernel(torch.stack(sums), scores)


def variant_sums(
    between: Float[Tensor, "E F"], a: Int[Tensor, "N M"], b: Int[Tensor, "Q O"]
) -> Float[Tensor, "N Q"]:
    """Return the kernel of variants: the sum over all pairs of their substitutions.

    Parameters
    ----------
    between
        Kernel of the distinct events of both sides.
    a, b
        Events of each variant, as indices into the rows and columns of `between`; `PAD` fills up.
    """
    rows = torch.cat([between, between.new_zeros(1, between.shape[1])])
    summed = rows[a[:, 0]].clone() if a.shape[1] else between.new_zeros(len(a), between.shape[1])
    for column in a.T[1:]:
        summed += rows[column]
    columns = torch.cat([summed, summed.new_zeros(len(summed), 1)], dim=1)
    total = columns[:, b[:, 0]] if b.shape[1] else summed.new_zeros(len(summed), len(b))
    for column in b.T[1:]:
        total = total + columns[:, column]
    return total


def _gaussian(rows: Float[Tensor, "L D"]) -> Float[Tensor, "L L"]:
    """Return the Gaussian kernel of standardised rows; its width is their median distance."""
    scaled = (rows - rows.mean(dim=0)) / (rows.std(dim=0, correction=0) + 1e-6)
    squares = torch.cdist(scaled, scaled, compute_mode="donot_use_mm_for_euclid_dist") ** 2
    apart = squares[squares > 0]
    return torch.exp(-squares / (apart.median() if len(apart) else 1.0))
