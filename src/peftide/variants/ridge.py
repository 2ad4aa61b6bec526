"""Ridge regression on the substitutions of variants, in closed form.

A variant's value is a sum of effects, one for each substitution. If training variants have several
substitutions, a Gaussian kernel of whole variants adds what is not additive. Values may be read on
the scale of their ranks.

References: Hsu et al. 2022, doi 10.1038/s41587-021-01146-5 (ridge on substitutions beside a score
of a language model).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.stats import norm, rankdata, spearmanr
from torch import Tensor, nn

from peftide.types import FloatArray
from peftide.variants.choosing import (
    Weights,
    choose_weights,
    fold_of,
    index_events,
    nearness,
)
from peftide.variants.kernels import EventKernel, SiteKernels, variant_sums, weighted

CHOOSING = 600
"""Training variants that choose the weights."""
MOST_VARIANTS = 8000
"""Training variants that the final fit reads."""
KNOTS = 65
GAIN = 0.02
"""Gain in rank correlation from which values are read on the scale of their ranks."""
ROWS = 1024
STATE = ("table", "spread", "scale", "values", "sites", "scores", "known", "solved", "shape")


@dataclass(frozen=True)
class RidgeFit:
    """How the weights were found, for the log.

    Attributes
    ----------
    error
        Squared error on left-out rows, in variances of the labels.
    by_site
        Whether whole sites were left out.
    ranks
        Whether labels were read on the scale of their ranks.
    used
        Training variants that were read.
    """

    error: float
    by_site: bool
    ranks: bool
    used: int


class VariantRidge(nn.Module):
    """Ridge regression that reads the letters of variants.

    Parameters
    ----------
    letters
        Letters of the wild type as indices into `LETTERS`; −1 for others. Shape (L,).

    Attributes
    ----------
    table
        Effect of each substitution on the latent value: from the mean of the training variants, or
        from the wild type if all training variants but the wild type have one substitution.
        Shape (L, 20).
    spread
        Standard deviation of the error of each effect, as the model expects it. Shape (L, 20).
    """

    letters: Tensor

    def __init__(self, letters: Int[Tensor, " L"]) -> None:
        super().__init__()
        self.register_buffer("letters", letters)
        for name in STATE:
            self.register_buffer(name, torch.zeros(0))
        self.table, self.spread = torch.zeros(len(letters), 20), torch.ones(len(letters), 20)
        self.left_out: dict[bytes, float] = {}

    @property
    def knows_combinations(self) -> bool:
        """Whether training variants had several substitutions."""
        return len(self.solved) > 0

    def prepare(self, state: dict[str, Tensor]) -> None:
        """Give the buffers the shapes of stored ones, which depend on the training variants."""
        for name in STATE:
            stored = state.get(name)
            if stored is not None:
                setattr(self, name, torch.zeros_like(stored))

    def events(self, rows: Float[Tensor, "B L"]) -> Int[Tensor, "B M"]:
        """Return the substitutions of each row of letters, 20 · place + letter, filled with −1."""
        rows = rows.long()
        changed = (rows != self.letters) & (rows >= 0)
        most = max(1, int(changed.sum(dim=1).max())) if len(rows) else 1
        order = torch.argsort((~changed).long(), dim=1, stable=True)[:, :most]
        events = 20 * order + rows.gather(1, order)
        return torch.where(changed.gather(1, order), events, -1)

    def forward(self, rows: Float[Tensor, "B L"]) -> Float[Tensor, " B"]:
        """Return the standardised value of each row of letters.

        In training mode, rows of the training set get the prediction without this row.
        """
        values = torch.cat([self._values(self.events(some)) for some in rows.split(ROWS)])
        if self.training and self.left_out:
            keys = [row.tobytes() for row in rows.to(torch.int8).cpu().numpy()]
            without = [self.left_out.get(key, float("nan")) for key in keys]
            known = torch.tensor(without, dtype=values.dtype, device=values.device)
            values = torch.where(known.isnan(), values, known)
        return values

    def _values(self, events: Int[Tensor, "B M"]) -> Float[Tensor, " B"]:
        return self._read(self._latent(events)).float()

    def _latent(self, events: Int[Tensor, "B M"]) -> Float[Tensor, " B"]:
        effects = torch.cat([self.table.flatten(), self.table.new_zeros(1)])
        latent = effects[events].sum(dim=1)
        if not len(self.solved):
            return latent
        kernel = EventKernel(self.sites, self.scores)
        distinct, known = index_events(self.known)
        mine, places = index_events(events)
        between = variant_sums(kernel.between(mine, distinct), places, known)
        epistasis, length = self.shape.tolist()
        near = nearness(
            between, _itself(kernel, mine, places), _itself(kernel, distinct, known), length=length
        )
        return latent + epistasis * (near @ self.solved)

    def _read(self, latent: Float[Tensor, " B"]) -> Float[Tensor, " B"]:
        """Return values from latent values: along the line through the knots, if there are any."""
        if not len(self.scale):
            return latent
        right = torch.searchsorted(self.scale, latent.contiguous()).clamp(1, len(self.scale) - 1)
        low, high = self.scale[right - 1], self.scale[right]
        share = (latent - low) / (high - low)
        return self.values[right - 1] + share * (self.values[right] - self.values[right - 1])

    def fit(
        self, kernels: SiteKernels, rows: Float[Tensor, "B L"], values: FloatArray, *, by_site: bool
    ) -> RidgeFit:
        """Fit to training variants.

        Parameters
        ----------
        values
            Standardised labels. Shape (B,).
        by_site
            Whether the weights are chosen for new sites.
        """
        events, rng = self.events(rows), np.random.default_rng(0)
        counts = (events >= 0).sum(dim=1).numpy()
        order = rng.permutation(len(values))[:MOST_VARIANTS]
        events, labels = events[order], values[order]
        few = slice(0, CHOOSING)
        folds = fold_of(events[few], by_site=by_site, seed=0)
        found = choose_weights(kernels, events[few], labels[few], folds=folds)
        ranked = normal_scores(labels)
        on_ranks = choose_weights(kernels, events[few], ranked[few], folds=folds, start=found)
        ranks = _agreement(on_ranks, labels[few]) > _agreement(found, labels[few]) + GAIN
        if ranks:
            found, targets = on_ranks, ranked
            self.scale, self.values = _knots(ranked, labels)
        else:
            targets = labels
        self._solve(
            weighted(kernels, found.kinds), found, events, targets=targets, rows=rows[order]
        )
        if counts.max() == 1 and counts.min() == 0:
            self._start_at(values[counts == 0].mean())
        return RidgeFit(found.error, by_site, ranks, len(order))

    def _start_at(self, wild_type: float) -> None:
        """Let sums of effects start at the value of the wild type, not at the mean of all values.

        Single substitutions keep their predictions. They alone do not tell the two apart.
        """
        if len(self.scale):
            start = float(np.interp(wild_type, self.values.numpy(), self.scale.numpy()))
        else:  # the line through two knots changes nothing
            self.scale = self.values = torch.tensor([0.0, 1.0])
            start = wild_type
        self.table = self.table - start
        self.scale = self.scale - start

    def _solve(
        self,
        kernel: EventKernel,
        weights: Weights,
        events: Int[Tensor, "N M"],
        *,
        targets: FloatArray,
        rows: Float[Tensor, "N L"],
    ) -> None:
        """Solve for the coefficients of all training variants; keep what predictions need."""
        distinct, places = index_events(events)
        matrix = variant_sums(kernel.between(distinct, distinct), places, places)
        if weights.epistasis:
            itself = _itself(kernel, distinct, places)
            near = nearness(matrix, itself, itself, length=weights.length)
            matrix = matrix + weights.epistasis * near
        matrix.diagonal().add_(weights.noise)
        factor = torch.linalg.cholesky(matrix)
        labels = torch.from_numpy(targets).double()
        solved = torch.cholesky_solve(labels[:, None], factor)[:, 0]
        none = len(self.letters) * 20
        sums = torch.zeros(none + 1, dtype=torch.float64)
        there = torch.where(events >= 0, events, none).flatten()
        sums.index_add_(0, there, solved.repeat_interleave(events.shape[1]))
        self.table = kernel.table(sums[:-1].view(-1, 20)).float()
        self.spread = self._spread(kernel, events[:CHOOSING], noise=weights.noise)
        if weights.epistasis:
            self.sites, self.scores = kernel.sites.float(), kernel.scores.float()
            self.known, self.solved = events, solved.float()
            self.shape = torch.tensor([weights.epistasis, weights.length])
        self._remember(factor, solved, labels=labels, rows=rows)

    def _remember(
        self,
        factor: Float[Tensor, "N N"],
        solved: Float[Tensor, " N"],
        *,
        labels: Float[Tensor, " N"],
        rows: Float[Tensor, "N L"],
    ) -> None:
        """Keep the prediction of each training row without this row."""
        inverse = torch.cholesky_inverse(factor)
        without = self._read((labels - solved / inverse.diagonal()).float())
        keys = [row.tobytes() for row in rows.to(torch.int8).numpy()]
        self.left_out = dict(zip(keys, without.tolist(), strict=True))

    def _spread(
        self, kernel: EventKernel, events: Int[Tensor, "N M"], *, noise: float
    ) -> Float[Tensor, "L 20"]:
        distinct, places = index_events(events)
        matrix = variant_sums(kernel.between(distinct, distinct), places, places)
        matrix.diagonal().add_(noise)
        factor = torch.linalg.cholesky(matrix)
        every = torch.arange(len(self.letters) * 20)
        each = torch.arange(len(every))[:, None]
        between = variant_sums(kernel.between(every, distinct), each, places)
        explained = torch.linalg.solve_triangular(factor, between.T, upper=False)
        left = kernel.variances().flatten() - (explained**2).sum(dim=0)
        return (left.clamp(min=0) + noise).sqrt().view(-1, 20).float()


def normal_scores(values: FloatArray) -> FloatArray:
    """Return the normal quantiles of the ranks of values.

    Examples
    --------
    >>> normal_scores(np.array([1.0, 100.0, 2.0])).round(2).tolist()
    [-0.97, 0.97, 0.0]
    """
    return norm.ppf((rankdata(values) - 0.5) / len(values))


def _itself(
    kernel: EventKernel, distinct: Int[Tensor, " E"], places: Int[Tensor, "N M"]
) -> Float[Tensor, " N"]:
    """Return the kernel of each variant with itself."""
    between = kernel.between(distinct, distinct)
    padded = nn.functional.pad(between, (0, 1, 0, 1))
    return padded[places[:, :, None], places[:, None, :]].sum(dim=(1, 2))


def _agreement(weights: Weights, labels: FloatArray) -> float:
    found: Any = spearmanr(weights.held_out, labels)  # scipy names no type for its result
    return float(found.statistic)


def _knots(ranked: FloatArray, labels: FloatArray) -> tuple[Tensor, Tensor]:
    """Return knots of the line from normal scores to labels."""
    scores, first = np.unique(ranked, return_index=True)
    chosen = np.unique(np.linspace(0, len(scores) - 1, KNOTS).round().astype(np.int64))
    places = torch.from_numpy(scores[chosen]).float()
    return places, torch.from_numpy(labels[first[chosen]]).float()
