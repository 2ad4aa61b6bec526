"""All pairs, ranked by a fast scorer → the best of each protein, scored by the trained head."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch

from peftide.progress import meter
from peftide.screening.pair_head import PairScorer
from peftide.screening.screen import Pairs, Wanted, block_scores
from peftide.types import IntArray

SAMPLE = 32
"""Proteins whose partners are all scored by the trained head, to measure the recall."""


def rescored(
    tables: Iterable[pd.DataFrame], scorer: PairScorer, pairs: Pairs, *, wanted: Wanted
) -> pd.DataFrame:
    """Score the pairs of a short list by the trained head, and keep the best.

    A pair counts for both proteins, whichever had the other on its list.

    Parameters
    ----------
    tables
        Places `a` and `b` of the pairs.

    Returns
    -------
    DataFrame
        Places `a` and `b` and the logit `score`: with `top_k` the best partners of each protein,
        the best first; otherwise each unordered pair once.
    """
    codes = np.unique(np.concatenate([_codes(table, pairs) for table in tables]))
    a, b = np.divmod(codes, len(pairs.partners))
    scores = _scores(a, b, scorer=scorer, pairs=pairs)
    kept = scores >= wanted.lowest
    a, b, scores = a[kept], b[kept], scores[kept]
    if wanted.top_k is not None:
        if pairs.is_square:
            two = a != b
            a, b = np.append(a, b[two]), np.append(b, a[two])
            scores = np.append(scores, scores[two])
        order = np.lexsort((b, -scores, a))
        rank = np.arange(len(a)) - np.searchsorted(a[order], a[order])
        best = order[rank < wanted.top_k]
        a, b, scores = a[best], b[best], scores[best]
    return pd.DataFrame({"a": a, "b": b, "score": scores})


def _codes(table: pd.DataFrame, pairs: Pairs) -> IntArray:
    """Return one number for each pair; in a square the same for A–B and B–A."""
    a, b = table["a"].to_numpy(), table["b"].to_numpy()
    if pairs.is_square:
        a, b = np.minimum(a, b), np.maximum(a, b)
    return a * len(pairs.partners) + b


def _scores(a: IntArray, b: IntArray, *, scorer: PairScorer, pairs: Pairs) -> np.ndarray:
    """Return the logits of pairs that are sorted by their first protein."""
    found = np.empty(len(a), dtype=np.float32)
    edges = np.flatnonzero(np.diff(a, prepend=-1, append=-1))
    with meter("scoring the short list", total=len(a), unit="pairs") as progress:
        for start, stop in zip(edges[:-1], edges[1:], strict=True):
            one = torch.from_numpy(pairs.sequences[a[start : start + 1]])
            partners = torch.from_numpy(pairs.partners[b[start:stop]])
            found[start:stop] = scorer.scores(one, partners)[0].float().cpu().numpy()
            progress.advance(stop - start)
    return found


def recall(hits: pd.DataFrame, scorer: PairScorer, pairs: Pairs, *, wanted: Wanted) -> float:
    """Return the share of the wanted pairs of some random proteins that are among the hits."""
    some = np.sort(np.random.default_rng(0).permutation(len(pairs.sequences))[:SAMPLE])
    scores = block_scores(scorer, pairs, ones=some, partners=slice(0, len(pairs.partners)))
    if wanted.top_k is not None:
        lowest = scores.topk(wanted.top_k, dim=1).values[:, -1:]
        scores = scores.masked_fill(scores < lowest, -torch.inf)
    rows, best = torch.nonzero(torch.isfinite(scores) & (scores >= wanted.lowest), as_tuple=True)
    sought = pd.DataFrame({"a": some[rows.numpy()], "b": best.numpy()})
    found = np.isin(_codes(sought, pairs), _codes(hits, pairs))
    return float(found.mean()) if len(found) else 1.0
