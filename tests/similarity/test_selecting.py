"""Alignments that can no longer matter are left out."""

import numpy as np

from peftide.similarity.selecting import BEST_PAIR, EVERY_PAIR, Links

TARGETS = np.array([0, 1, 2])


def test_every_pair_matters():
    assert EVERY_PAIR.wants(0, TARGETS).all()
    assert not EVERY_PAIR.found(0, 1)


def test_one_pair_per_query_is_enough():
    assert BEST_PAIR.wants(0, TARGETS).all()
    assert BEST_PAIR.found(0, 1)


def test_linked_sequences_are_not_aligned():
    links = Links(4)
    links.found(0, 1)
    links.found(2, 3)
    assert links.wants(1, TARGETS).tolist() == [False, False, True]
    links.found(1, 3)
    assert not links.wants(2, TARGETS).any()
