"""Queries and targets come in; similar pairs go out."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from peftide.progress import working
from peftide.similarity.copies import find_copies
from peftide.similarity.hits import Hits, hits_of, no_hits, together
from peftide.similarity.mmseqs import NothingToIndex, search_with_mmseqs
from peftide.similarity.selecting import BEST_PAIR, EVERY_PAIR, Selection
from peftide.similarity.settings import SimilaritySettings
from peftide.similarity.smith_waterman import search_with_pyopal, self_score, tool_name
from peftide.types import IntArray

logger = logging.getLogger(__name__)

MOST_PAIRS = 10**9
"""Pairs of a query and a target up to which pyopal looks for the best target of each query."""


def search(queries: Sequence[str], targets: Sequence[str], settings: SimilaritySettings) -> Hits:
    """Return similar pairs of a query and a target, with the best hit of each query first.

    Identical sequences are always similar, even if they are short. Letters other than the twenty
    residues, B and Z are compared as unknown residues.

    Parameters
    ----------
    queries, targets
        Residues in upper case.
    settings
        Limits for similarity, and the search tool.

    Raises
    ------
    PeftideError
        If MMseqs2 fails.

    Examples
    --------
    >>> settings = SimilaritySettings(tool="pyopal")
    >>> hits = search(["MKVLA"], ["GGGGG", "MKVLA"], settings)
    >>> hits.target.tolist(), hits.identity_fraction.tolist()
    ([1], [1.0])
    """
    query_numbers, own = distinct(queries)
    target_numbers, others = distinct(targets)
    found = together(_identical(own, others), search_distinct(own, others, settings))
    return found.to_repeats(query_numbers, target_numbers).best_first()


def best_hits(queries: Sequence[str], targets: Sequence[str], settings: SimilaritySettings) -> Hits:
    """Return the best similar target of each query that has one; much faster than `search`.

    Near-copies are searched through one representative: at least 95 % of their residues are
    identical at equal length. A pair within 5 % of a limit may therefore be judged differently.
    Each query is then aligned with the near-copy of equal length that scores best without gaps.
    A query of another length keeps the representative as its target.

    With the tool "auto", pyopal aligns the most promising targets of up to a billion pairs: it
    takes less time than MMseqs2, and finds more of the pairs that a full search finds.

    Raises
    ------
    PeftideError
        If MMseqs2 fails.

    Examples
    --------
    >>> settings = SimilaritySettings(tool="pyopal")
    >>> best_hits(["MKVLA"], ["GGGGG", "MKVLA", "MKVLA"], settings).target.tolist()
    [1]
    """
    query_numbers, own = distinct(queries)
    target_numbers, others = distinct(targets)
    with working("looking for near-copies"):
        copies, own_copies = find_copies(others, settings), find_copies(own, settings)
    mine, theirs = own_copies.texts(), copies.texts()
    settings = settings.suited(mine, theirs, most_pairs=MOST_PAIRS)
    narrow = copies.settings(settings)
    found = search_distinct(mine, theirs, narrow, selection=BEST_PAIR).best_per_query()
    found = replace(
        found,
        query=own_copies.representatives[found.query],
        target=copies.representatives[found.target],
    )
    with working("comparing near-copies"):
        closest = copies.closest(own_copies, found, settings)
    hits = together(_identical(own, others), closest)
    return hits.to_repeats(query_numbers, target_numbers).best_per_query()


def search_distinct(
    queries: Sequence[str],
    targets: Sequence[str],
    settings: SimilaritySettings,
    *,
    selection: Selection = EVERY_PAIR,
) -> Hits:
    """Return at least the selected similar pairs of distinct queries and distinct targets."""
    if not (queries and targets):
        return no_hits(tool_name())
    program = settings.program()
    if program is not None:
        try:
            found = search_with_mmseqs(program, queries, targets, settings=settings)
        except NothingToIndex:
            logger.debug("MMseqs2 finds no k-mers in these sequences; pyopal aligns them")
        else:
            return found.take(
                (found.identity_fraction >= settings.identity_fraction)
                & (found.coverage_fraction >= settings.coverage_fraction)
            )
    return search_with_pyopal(queries, targets, settings, selection=selection)


def distinct(sequences: Sequence[str]) -> tuple[IntArray, list[str]]:
    """Return the number of each sequence among the distinct ones, and these."""
    numbers, found = pd.factorize(np.array(sequences, dtype=object))
    return numbers.astype(np.int64), [str(sequence) for sequence in found]


def _identical(queries: Sequence[str], targets: Sequence[str]) -> Hits:
    place = {sequence: number for number, sequence in enumerate(targets)}
    return hits_of(
        [
            (number, place[sequence], 1.0, 1.0, 1.0, self_score(sequence))
            for number, sequence in enumerate(queries)
            if sequence in place
        ],
        tool="identity",
    )
