"""All pairs of proteins, block by block → the best partners, or all hits above a threshold."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from peftide.progress import meter
from peftide.screening.best import BestPartners
from peftide.screening.known import Known
from peftide.screening.pair_head import PairScorer
from peftide.screening.progress import Done, ScreenFolder, as_hits
from peftide.types import IntArray

PROTEINS_PER_BLOCK = 64
HITS_PER_SHARD = 1_000_000
SECONDS_BETWEEN_SAVES = 30.0


@dataclass(frozen=True)
class Pairs:
    """Which pairs are scored.

    Attributes
    ----------
    sequences, partners
        Distinct sequence of each protein, and of each possible partner. Shapes (P,), (N,).
    is_square
        Whether partners are the same proteins, so that A–B is B–A.
    skipped
        Partners that each protein does not meet.
    keeps_selves
        Whether a protein meets its own sequence.
    own
        Proteins whose pairs are scored here; None: all.
    """

    sequences: IntArray
    partners: IntArray
    is_square: bool
    skipped: Known = field(default_factory=dict)
    keeps_selves: bool = False
    own: slice | None = None

    @property
    def proteins(self) -> range:
        """Places of the proteins whose pairs are scored."""
        own = slice(None) if self.own is None else self.own
        return range(len(self.sequences))[own]

    def count(self, first: int = 0) -> int:
        """Return the number of scored pairs from a protein on."""
        return self._from(max(first, self.proteins.start)) - self._from(self.proteins.stop)

    def _from(self, first: int) -> int:
        left = len(self.sequences) - first
        if not self.is_square:
            return left * len(self.partners)
        return left * (left - 1) // 2 + (left if self.keeps_selves else 0)

    def first_partner(self, block: slice) -> int:
        """Return the first partner that a block of proteins meets."""
        return block.start if self.is_square else 0


@dataclass(frozen=True)
class Wanted:
    """Which pairs are kept.

    Attributes
    ----------
    top_k
        Partners of each protein; None for all.
    lowest
        Lowest logit.
    """

    top_k: int | None
    lowest: float = -np.inf


def screen(
    scorer: PairScorer, pairs: Pairs, wanted: Wanted, *, folder: ScreenFolder, key: str
) -> Iterator[pd.DataFrame]:
    """Score all pairs and yield tables of the kept ones: places `a` and `b`, and the logit `score`.

    An interrupted screen goes on after its last save.

    Parameters
    ----------
    scorer
        Scores a protein, by its sequence, with a range of sequences.
    key
        Identifies model, proteins and options.
    """
    done = folder.done(key)
    run = _Run(scorer, pairs, wanted, folder=folder, done=done)
    with meter("screening", total=pairs.count(), unit="pairs") as progress:
        progress.begin_at(pairs.count() - pairs.count(done.proteins))
        run.go(progress.advance)
    yield from run.hits()


class _Run:
    """A screen in progress."""

    def __init__(
        self, scorer: PairScorer, pairs: Pairs, wanted: Wanted, *, folder: ScreenFolder, done: Done
    ) -> None:
        self.scorer, self.pairs, self.wanted = scorer, pairs, wanted
        self.folder, self.done = folder, done
        self.best: BestPartners | None = None
        if wanted.top_k is not None:
            new = BestPartners.empty(len(pairs.sequences), wanted.top_k)
            self.best = folder.load() if done.proteins else new
        self.waiting: list[pd.DataFrame] = []
        self.saved = time.monotonic()

    def go(self, advance: Callable[[float], None]) -> None:
        """Score all blocks that are left."""
        first, total = self.pairs.proteins.start, self.pairs.proteins.stop
        for start in range(max(self.done.proteins, first), total, PROTEINS_PER_BLOCK):
            block = slice(start, min(start + PROTEINS_PER_BLOCK, total))
            partners = slice(self.pairs.first_partner(block), len(self.pairs.partners))
            ones = np.arange(start, block.stop)
            scores = block_scores(self.scorer, self.pairs, ones=ones, partners=partners)
            if self.best is None:
                self._collect(block, partners, scores)
            else:
                self._keep(block, partners, scores)
            self.done = replace(self.done, proteins=block.stop)
            self._save(last=block.stop == total)
            advance(self.pairs.count(block.start) - self.pairs.count(block.stop))

    def _keep(self, block: slice, partners: slice, scores: Float[Tensor, "R N"]) -> None:
        """Keep the best partners of the block, and of the later proteins that it met."""
        assert self.best is not None
        self.best.add(block, partners, scores)
        if self.pairs.is_square:
            inside = block.stop - block.start
            self.best.add(slice(block.stop, partners.stop), block, scores[:, inside:].T)

    def _collect(self, block: slice, partners: slice, scores: Float[Tensor, "R N"]) -> None:
        """Collect the hits above the threshold; in a square each unordered pair counts once."""
        for row, one in enumerate(range(block.start, block.stop)):
            first = one - partners.start if self.pairs.is_square else 0
            chosen = torch.nonzero(scores[row, first:] >= self.wanted.lowest)[:, 0] + first
            if len(chosen):
                places = chosen.numpy() + partners.start
                self.waiting.append(as_hits(one, places, scores[row, chosen]))

    def _save(self, *, last: bool) -> None:
        """Save the state now and then, and the hits when there are many."""
        waited = time.monotonic() - self.saved >= SECONDS_BETWEEN_SAVES
        if self.best is None:
            if self.waiting and (last or waited or sum(map(len, self.waiting)) > HITS_PER_SHARD):
                self.folder.write_shard(self.done.shards, pd.concat(self.waiting))
                self.waiting = []
                self.done = replace(self.done, shards=self.done.shards + 1)
            elif not last and (self.waiting or not waited):
                return
        elif not (last or waited):
            return
        self.folder.save(self.done, self.best)
        self.saved = time.monotonic()

    def hits(self) -> Iterator[pd.DataFrame]:
        """Yield the kept pairs."""
        if self.best is None:
            yield from self.folder.shards(self.done.shards)
            return
        scores, partners = self.best.scores, self.best.partners
        for start in range(0, len(scores), HITS_PER_SHARD // scores.shape[1] or 1):
            some = scores[start : start + (HITS_PER_SHARD // scores.shape[1] or 1)]
            rows, columns = torch.nonzero(
                (some >= self.wanted.lowest) & torch.isfinite(some), as_tuple=True
            )
            yield pd.DataFrame(
                {
                    "a": (rows + start).numpy(),
                    "b": partners[rows + start, columns].numpy(),
                    "score": some[rows, columns].numpy(),
                }
            )


def block_scores(
    scorer: PairScorer, pairs: Pairs, *, ones: IntArray, partners: slice
) -> Float[Tensor, "R N"]:
    """Return the logits of some proteins with a range of partners; −inf for pairs left out."""
    sequences, others = pairs.sequences[ones], pairs.partners[partners]
    whole = slice(int(others.min()), int(others.max()) + 1)
    scores = scorer.scores(torch.from_numpy(sequences), whole).float().cpu()
    if not np.array_equal(others, np.arange(whole.start, whole.stop)):
        scores = scores[:, torch.from_numpy(others - whole.start)]
    for one, sequence, row in zip(ones.tolist(), sequences, scores, strict=True):
        skipped = pairs.skipped.get(one)
        if skipped is not None:
            left = skipped[(skipped >= partners.start) & (skipped < partners.stop)]
            row[torch.from_numpy(left - partners.start)] = -torch.inf
        if not pairs.keeps_selves:
            row[torch.from_numpy(others == sequence)] = -torch.inf
    return scores
