"""Columns of similar pairs."""

import numpy as np

from peftide.similarity.hits import Hits, hits_of, no_hits, together


def pairs(hits: Hits):
    return list(zip(hits.query.tolist(), hits.target.tolist(), strict=True))


def test_best_first_within_each_query():
    hits = hits_of(
        [(1, 0, 0.5, 1, 1, 40), (0, 2, 0.5, 1, 1, 40), (1, 4, 0.5, 1, 1, 90), (1, 3, 1, 1, 1, 90)],
        tool="t",
    )
    assert pairs(hits.best_first()) == [(0, 2), (1, 3), (1, 4), (1, 0)]


def test_repeats_get_the_hits_of_their_sequence():
    hits = hits_of([(1, 0, 0.5, 0.6, 0.7, 40)], tool="t")
    # sequences 0 and 2 are distinct sequence 1; targets 1 and 2 are distinct target 0
    found = hits.to_repeats(np.array([1, 0, 1]), np.array([3, 0, 0]))
    assert sorted(pairs(found)) == [(0, 1), (0, 2), (2, 1), (2, 2)]
    assert found.target_coverage_fraction.tolist() == [0.7] * 4
    assert found.tool == "t"


def test_the_first_wins_where_both_have_a_pair():
    first = hits_of([(0, 0, 1.0, 1, 1, 90)], tool="identity")
    second = hits_of([(0, 0, 0.9, 1, 1, 80), (0, 1, 0.4, 0.2, 0.8, 50)], tool="t")
    both = together(first, second)
    assert pairs(both) == [(0, 0), (0, 1)]
    assert both.identity_fraction.tolist() == [1.0, 0.4]
    assert both.coverage_fraction.tolist() == [1.0, 0.8]
    assert both.tool == "t"


def test_no_pair_has_all_columns():
    nothing = no_hits("t")
    assert len(nothing) == 0
    assert len(together(nothing, nothing).best_first()) == 0
