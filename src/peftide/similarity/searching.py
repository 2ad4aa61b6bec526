"""Queries and targets come in; similar pairs go out."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from peftide.similarity.hits import Hits, hits_of, no_hits, together
from peftide.similarity.mmseqs import NothingToIndex, search_with_mmseqs
from peftide.similarity.settings import SimilaritySettings
from peftide.similarity.smith_waterman import search_with_pyopal, self_score, tool_name
from peftide.types import IntArray

logger = logging.getLogger(__name__)


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
    query_numbers, distinct_queries = _distinct(queries)
    target_numbers, distinct_targets = _distinct(targets)
    found = _search_distinct(distinct_queries, distinct_targets, settings)
    enough = (found.identity_fraction >= settings.identity_fraction) & (
        found.coverage_fraction >= settings.coverage_fraction
    )
    hits = together(_identical(distinct_queries, distinct_targets), found.take(enough))
    return hits.to_repeats(query_numbers, target_numbers).best_first()


def _search_distinct(
    queries: Sequence[str], targets: Sequence[str], settings: SimilaritySettings
) -> Hits:
    if not (queries and targets):
        return no_hits(tool_name())
    program = settings.program()
    if program is not None:
        try:
            return search_with_mmseqs(program, queries, targets, settings=settings)
        except NothingToIndex:
            logger.debug("MMseqs2 finds no k-mers in these sequences; pyopal aligns them")
    return search_with_pyopal(queries, targets, settings)


def _distinct(sequences: Sequence[str]) -> tuple[IntArray, list[str]]:
    numbers, distinct = pd.factorize(np.array(sequences, dtype=object))
    return numbers.astype(np.int64), [str(sequence) for sequence in distinct]


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
