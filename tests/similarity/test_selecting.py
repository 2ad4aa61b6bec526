"""Alignments that can no longer matter are left out."""

import numpy as np

from peftide.similarity.selecting import BEST_PAIR, EVERY_PAIR, FEWEST, Links

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


def test_members_of_a_cluster_share_the_search_for_its_relatives():
    count, most = 1000, 400
    links, alone = Links(count, most=most), 999
    for member in range(1, 4):
        links.found(0, member)
    targets = np.arange(500)
    wanted = np.flatnonzero(links.wants(0, targets))
    assert wanted.tolist() == list(range(4, 4 + most // 4))
    assert links.wants(alone, targets).sum() == most
    for member in range(4, 300):
        links.found(0, member)
    assert links.wants(0, targets).sum() == FEWEST


def test_a_few_sequences_are_all_compared():
    links = Links(60, most=60)
    links.found(0, 1)
    assert links.wants(0, np.arange(60)).sum() == 58
