"""Residue embeddings → one vector per sequence, or the residues themselves.

The rows that a pooling returns hold `vectors` vectors of the embedding width D, side by side.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from peftide.errors import InputError
from peftide.packing import PackedBatch

WINDOWS = ((0, 10), (10, 30))
"""Residues of the windows of `EndsPooling`, from an end of the sequence inwards."""
NEIGHBOURS = 10
"""Residues of a window of `WindowPooling`."""


class MeanPooling(nn.Module):
    """The mean over residues, without special tokens."""

    vectors = 1

    def forward(self, tokens: Float[Tensor, "N D"], batch: PackedBatch) -> Float[Tensor, "P D"]:
        """Return the mean residue embedding of each sequence."""
        return segment_sum(tokens[batch.residue_rows], batch) / residue_counts(batch)


class ClsPooling(nn.Module):
    """The embedding of the first token (`<cls>`)."""

    vectors = 1

    def forward(self, tokens: Float[Tensor, "N D"], batch: PackedBatch) -> Float[Tensor, "P D"]:
        """Return the first token of each sequence."""
        return tokens[batch.first_rows]


class AttentionPooling(nn.Module):
    """A mean over residues whose weights are learned.

    weight(residue) = softmax over the sequence of w·x. Starts as the plain mean (w = 0).
    """

    vectors = 1

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(width))

    def forward(self, tokens: Float[Tensor, "N D"], batch: PackedBatch) -> Float[Tensor, "P D"]:
        """Return the weighted mean residue embedding of each sequence."""
        residues = tokens[batch.residue_rows]
        scores = (at_least_fp32(residues) @ self.query)[:, None]
        highest = segment_max(scores, batch)
        weights = torch.exp(scores - highest[batch.residue_owner])
        return segment_sum(residues * weights, batch) / segment_sum(weights, batch)


class EndsPooling(nn.Module):
    """The mean over residues, and beside it the means of two windows at each end.

    The windows are the outermost 10 residues and the next 20, of the start and then of the end. A
    window without residues, in a short sequence, has the mean of the whole sequence.
    """

    vectors = 1 + 2 * len(WINDOWS)

    def forward(self, tokens: Float[Tensor, "N D"], batch: PackedBatch) -> Float[Tensor, "P W"]:
        """Return the five means of each sequence, side by side; W = 5 D."""
        residues, counts = tokens[batch.residue_rows], residue_counts(batch)[:, 0]
        from_start, from_end = places(batch)
        whole = segment_sum(residues, batch) / counts[:, None]
        means = [whole]
        for place in (from_start, from_end):
            for first, last in WINDOWS:
                inside = ((place >= first) & (place < last))[:, None]
                sizes = segment_sum(inside.to(whole.dtype), batch)
                sums = segment_sum(residues * inside, batch)
                means.append(torch.where(sizes > 0, sums / sizes.clamp(min=1), whole))
        return torch.cat(means, dim=1)


class WindowPooling(nn.Module):
    """The mean over residues, and beside it the highest mean of 10 neighbouring residues.

    Each dimension has its own highest window. A sequence of fewer residues is one window.
    """

    vectors = 2

    def forward(self, tokens: Float[Tensor, "N D"], batch: PackedBatch) -> Float[Tensor, "P W"]:
        """Return the mean and the highest window of each sequence, side by side; W = 2 D."""
        residues, counts = at_least_fp32(tokens[batch.residue_rows]), residue_counts(batch)
        size = counts.clamp(max=NEIGHBOURS)[batch.residue_owner]
        padded = torch.cat([residues, residues.new_zeros(NEIGHBOURS - 1, residues.shape[1])])
        sums = residues  # of the window that begins at each residue
        for k in range(1, NEIGHBOURS):
            sums = sums + padded[k : k + len(residues)] * (k < size)
        is_inside = places(batch)[1][:, None] + 1 >= size
        windows = torch.where(is_inside, sums / size, float("-inf"))
        mean = segment_sum(residues, batch) / counts
        return torch.cat([mean, segment_max(windows, batch)], dim=1)


class ResidueRows(nn.Module):
    """No pooling: every residue is one row."""

    vectors = 1

    def forward(self, tokens: Float[Tensor, "N D"], batch: PackedBatch) -> Float[Tensor, "R D"]:
        """Return the residue embeddings in order."""
        return tokens[batch.residue_rows]


Pooling = MeanPooling | ClsPooling | AttentionPooling | EndsPooling | WindowPooling | ResidueRows
BY_NAME = {"mean": MeanPooling, "cls": ClsPooling, "ends": EndsPooling, "window": WindowPooling}
"""Poolings without weights."""


def build_pooling(
    name: str, *, width: int, per_residue: bool, starts_with_token: bool = True
) -> Pooling:
    """Return the pooling of an option, or `ResidueRows` for residue tasks.

    Raises
    ------
    InputError
        If `cls` is requested, but the backbone puts no token before the residues (T5).

    Examples
    --------
    >>> build_pooling("mean", width=8, per_residue=False)
    MeanPooling()
    """
    if per_residue:
        return ResidueRows()
    if name == "cls" and not starts_with_token:
        raise InputError(
            "received cls, but this backbone puts no token before the residues that sees them",
            expected="mean, ends, window or attention",
            where="--pooling",
        )
    if name == "attention":
        return AttentionPooling(width)
    return BY_NAME[name]()


def segment_sum(rows: Float[Tensor, "R D"], batch: PackedBatch) -> Float[Tensor, "P D"]:
    """Sum the rows of each sequence, in fp32 (doubles stay doubles)."""
    rows = at_least_fp32(rows)
    if batch.is_one:
        return rows.sum(dim=0, keepdim=True)
    sums = rows.new_zeros((len(batch.lengths), rows.shape[1]))
    return sums.index_add(0, batch.residue_owner, rows)


def segment_max(scores: Float[Tensor, "R C"], batch: PackedBatch) -> Float[Tensor, "P C"]:
    """Return the highest score of each sequence, column by column."""
    if batch.is_one:
        return scores.amax(dim=0, keepdim=True)
    lowest = scores.new_full((len(batch.lengths), scores.shape[1]), float("-inf"))
    owner = batch.residue_owner[:, None].expand_as(scores)
    return lowest.scatter_reduce(0, owner, scores, "amax")


def places(batch: PackedBatch) -> tuple[Int[Tensor, " R"], Int[Tensor, " R"]]:
    """Return how many residues each one has before it and after it in its sequence."""
    counts, owner = residue_counts(batch)[:, 0], batch.residue_owner
    starts = counts.cumsum(0) - counts
    before = torch.arange(len(owner), device=owner.device) - starts[owner]
    return before, counts[owner] - 1 - before


def at_least_fp32(rows: Float[Tensor, "R D"]) -> Float[Tensor, "R D"]:
    """Return half-precision rows as fp32, and other rows unchanged."""
    return rows.to(torch.promote_types(rows.dtype, torch.float32))


def residue_counts(batch: PackedBatch) -> Int[Tensor, "P 1"]:
    """Return the number of residues of each sequence."""
    if batch.is_one:
        return torch.ones_like(batch.residue_owner).sum().reshape(1, 1)
    return torch.bincount(batch.residue_owner, minlength=len(batch.lengths))[:, None]
