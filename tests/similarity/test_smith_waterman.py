"""Alignments against values by hand, and long ones in pieces against whole ones."""

import math
from dataclasses import replace

import numpy as np
import pytest

from peftide.similarity import SimilaritySettings
from peftide.similarity.smith_waterman import (
    Alignments,
    _without_gaps,
    bits,
    search_with_pyopal,
    self_score,
)
from tests.similarity.conftest import random_proteins, relatives

SETTINGS = SimilaritySettings(tool="pyopal", threads=1)


def test_self_score_by_hand():
    # BLOSUM62: W-W 11, C-C 9, A-A 4, X-X -1; U is compared as X
    raw = 11 + 9 + 4 - 1
    assert self_score("WCAU") == pytest.approx((0.267 * raw - math.log(0.041)) / math.log(2))


def test_identity_counts_gaps():
    # 20 W and 20 C with 4 residues more between them: 40 identical of 44 columns
    short = "W" * 20 + "C" * 20
    long = "W" * 20 + "GGGG" + "C" * 20
    hits = search_with_pyopal([short], [long], SETTINGS)
    assert hits.identity_fraction.tolist() == pytest.approx([40 / 44])
    assert hits.query_coverage_fraction.tolist() == [1]
    assert hits.target_coverage_fraction.tolist() == [1]
    # a gap of four costs 11 + 3
    assert hits.score.tolist() == pytest.approx([bits(20 * 11 + 20 * 9 - 14)])


def test_pieces_say_nearly_what_the_whole_says(monkeypatch: pytest.MonkeyPatch):
    ancestors = random_proteins(3, length=900)
    queries = relatives(ancestors, changed=0.5)
    whole = search_with_pyopal(queries, ancestors, SETTINGS)
    monkeypatch.setattr("peftide.similarity.smith_waterman.MOST_CELLS", 0)
    monkeypatch.setattr("peftide.similarity.smith_waterman.PIECE", 200)
    pieces = search_with_pyopal(queries, ancestors, SETTINGS)
    assert pieces.target.tolist() == whole.target.tolist() == [0, 1, 2]
    assert pieces.identity_fraction == pytest.approx(whole.identity_fraction, abs=0.03)
    for name in ("query_coverage_fraction", "target_coverage_fraction"):
        assert getattr(pieces, name) == pytest.approx(getattr(whole, name), abs=1e-6)


@pytest.mark.parametrize("ends", ["", "GG", "PPPP"])
def test_the_best_piece_without_gaps_is_the_alignment(ends: str):
    """Where the best score needs no gaps, the library's trace has the same columns."""
    (ancestor,) = random_proteins(1, length=120)
    (relative,) = relatives([ancestor], changed=0.4)
    search = Alignments.of([ancestor], SETTINGS)
    queries = [relative + ends, ends + relative, relative[20:] + ends]
    found = 0
    for query in queries:
        score = int(search._scores(query, search.database, np.array([0]))[0])
        spans = _without_gaps(query, ancestor, score)
        found += spans is not None
        assert spans is None or spans == pytest.approx(search.trace(query, 0))
    assert found >= 2


def test_an_alignment_with_gaps_is_traced():
    query, target = "W" * 20 + "C" * 20, "W" * 20 + "GGGG" + "C" * 20
    search = Alignments.of([target], SETTINGS)
    assert _without_gaps(query, target, 386) is None
    assert search.spanned(query, 0, 386) == pytest.approx((40 / 44, 1, 1))


def test_threads_change_nothing():
    ancestors = random_proteins(4)
    queries = relatives(ancestors, changed=0.5)
    found = [
        search_with_pyopal(queries, ancestors, replace(SETTINGS, threads=threads))
        for threads in (1, 3)
    ]
    assert found[0].target.tolist() == found[1].target.tolist() == [0, 1, 2, 3]
    assert found[0].score.tolist() == found[1].score.tolist()
