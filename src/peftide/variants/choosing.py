"""Training variants → the weights of the kernels, chosen by cross-validation.

The folds resemble the test: whole sites are left out if the test has new sites. The error on rows
that are left out has a closed form, so all weights are improved together along its gradient.

References: Rifkin & Lippert 2007, Notes on regularized least squares (leave-one-out); An et al.
2007, doi 10.1016/j.patcog.2006.12.015 (leave-one-group-out).
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from peftide.types import FloatArray, IntArray
from peftide.variants.kernels import SiteKernels, variant_sums, weighted

FOLDS = 10
STEPS = 40
RATE = 0.3
PENALTY = 1e-3
SMALLEST_NOISE = 1e-3


@dataclass(frozen=True)
class Weights:
    """Weights of the kernels.

    Attributes
    ----------
    kinds
        One per kind of effect. Shape (W,).
    noise
        Variance of the noise.
    epistasis, length
        Weight and squared length of the Gaussian kernel of whole variants; the weight is 0 without
        one.
    error
        Squared error on left-out rows, in variances of the labels.
    held_out
        Predictions of left-out rows. Shape (B,).
    """

    kinds: Float[Tensor, " W"]
    noise: float
    epistasis: float
    length: float
    error: float
    held_out: FloatArray


def fold_of(events: Int[Tensor, "N M"], *, by_site: bool, seed: int) -> IntArray:
    """Return the fold of each variant; with `by_site`, variants of one site share a fold."""
    rng = np.random.default_rng(seed)
    if not by_site:
        return rng.permutation(len(events)) % FOLDS
    first = events[:, 0].numpy() // 20
    sites = np.unique(first)
    return (rng.permutation(len(sites)) % FOLDS)[np.searchsorted(sites, first)]


def choose_weights(
    kernels: SiteKernels,
    events: Int[Tensor, "N M"],
    values: FloatArray,
    *,
    folds: IntArray,
    start: Weights | None = None,
) -> Weights:
    """Return the weights with the smallest error on left-out folds.

    Parameters
    ----------
    events
        Substitutions of each training variant, 20 · place + letter; `PAD` fills up.
    values
        Standardised labels. Shape (N,).
    folds
        Shape (N,).
    start
        Weights to start from; these take fewer steps.
    """
    with torch.enable_grad():
        return _descend(_parts(kernels, events), events, values, folds=folds, start=start)


def _descend(
    parts: Float[Tensor, "W N N"],
    events: Int[Tensor, "N M"],
    values: FloatArray,
    *,
    folds: IntArray,
    start: Weights | None,
) -> Weights:
    """Return the best weights along the gradient of the error."""
    labels = torch.from_numpy(values).double()
    groups = [torch.from_numpy(np.flatnonzero(folds == fold)) for fold in np.unique(folds)]
    several = bool((events[:, 1:] >= 0).any())
    logs = _first_logs(len(parts), start, several=several).requires_grad_(True)
    optimizer = torch.optim.Adam([logs], lr=RATE)
    best: Weights | None = None
    for _ in range(STEPS if start is None else STEPS // 3):
        matrix = mixture(parts, logs)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(matrix))
        errors = _left_out(inverse, inverse @ labels, groups)
        error = (errors**2).mean()
        if best is None or float(error.detach()) < best.error:
            held_out = (labels - errors.detach()).numpy()
            best = _weights(logs.detach(), len(parts), error=float(error.detach()), seen=held_out)
        optimizer.zero_grad()
        (error + PENALTY * logs[: len(parts)].exp().sum()).backward()
        optimizer.step()
    assert best is not None
    return best


def _first_logs(count: int, start: Weights | None, *, several: bool) -> Float[Tensor, " V"]:
    if start is None:
        logs = [-np.log(count)] * count + [0.0] + [0.0, 0.0] * several
        return torch.tensor(logs, dtype=torch.float64)
    others = [start.noise, start.epistasis, start.length][: 3 if several else 1]
    return torch.cat([start.kinds, torch.tensor(others).double()]).clamp(min=1e-6).log()


def mixture(parts: Float[Tensor, "W N N"], logs: Float[Tensor, " V"]) -> Float[Tensor, "N N"]:
    """Return the weighted kernel of variants with its noise."""
    count = len(parts)
    matrix = torch.tensordot(logs[:count].exp(), parts, dims=1)
    if len(logs) > count + 1:
        matrix = matrix + logs[count + 1].exp() * nearness(
            matrix, matrix.diagonal(), matrix.diagonal(), length=logs[count + 2].exp()
        )
    noise = logs[count].exp() + SMALLEST_NOISE
    return matrix + noise * torch.eye(len(matrix), dtype=matrix.dtype)


def nearness(
    between: Float[Tensor, "N Q"],
    a: Float[Tensor, " N"],
    b: Float[Tensor, " Q"],
    *,
    length: Float[Tensor, ""] | float,
) -> Float[Tensor, "N Q"]:
    """Return the Gaussian kernel of the distance that an additive kernel measures.

    Parameters
    ----------
    between, a, b
        The additive kernel of variants of two sides, and of each side's variants with themselves.
    length
        Squared length.
    """
    squares = (a[:, None] + b[None] - 2 * between).clamp(min=0)
    return torch.exp(-squares / (2 * length))


def _parts(kernels: SiteKernels, events: Int[Tensor, "N M"]) -> Float[Tensor, "W N N"]:
    """Return the kernel of variants of each kind of effect."""
    distinct, places = index_events(events)
    parts = []
    for kind in range(kernels.count):
        one = torch.zeros(kernels.count, dtype=torch.float64)
        one[kind] = 1.0
        between = weighted(kernels, one).between(distinct, distinct)
        parts.append(variant_sums(between, places, places))
    return torch.stack(parts)


def index_events(events: Int[Tensor, "N M"]) -> tuple[Int[Tensor, " E"], Int[Tensor, "N M"]]:
    """Return the distinct events, and for each variant the indices of its events."""
    distinct = torch.unique(events[events >= 0])
    places = torch.searchsorted(distinct, events.clamp(min=0).contiguous())
    return distinct, torch.where(events >= 0, places, len(distinct))


def _left_out(
    inverse: Float[Tensor, "N N"], solved: Float[Tensor, " N"], groups: list[Tensor]
) -> Float[Tensor, " N"]:
    """Return label minus prediction of each row, predicted without its fold."""
    errors = [torch.linalg.solve(inverse[g][:, g], solved[g]) for g in groups]
    return torch.cat(errors)[torch.argsort(torch.cat(groups))]


def _weights(logs: Float[Tensor, " V"], count: int, *, error: float, seen: FloatArray) -> Weights:
    values = logs.exp()
    several = len(logs) > count + 1
    return Weights(
        kinds=values[:count],
        noise=float(values[count]) + SMALLEST_NOISE,
        epistasis=float(values[count + 1]) if several else 0.0,
        length=float(values[count + 2]) if several else 1.0,
        error=error,
        held_out=seen,
    )
