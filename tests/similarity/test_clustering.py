"""Clusters without anything similar across their borders."""

import numpy as np

from peftide.similarity import SimilaritySettings, cluster, search
from tests.similarity.conftest import random_proteins, relatives


def test_families_become_clusters(settings: SimilaritySettings):
    first = random_proteins(5)
    second = relatives(first, changed=0.4, seed=1)
    third = relatives(second, changed=0.4, seed=2)
    found = cluster(first + second + third, settings)
    assert found.numbers.tolist() == [0, 1, 2, 3, 4] * 3
    assert len(found) == 5
    assert found.tool.split()[0] in {"MMseqs2", "pyopal"}


def test_nothing_is_similar_across_clusters(settings: SimilaritySettings):
    first = random_proteins(3, length=120)
    # two unrelated proteins, and one that has both: all three belong together
    sequences = [*first, first[0] + first[2]]
    found = cluster(sequences, settings)
    assert found.numbers.tolist() == [0, 1, 0, 0]
    hits = search(sequences, sequences, settings)
    assert (found.numbers[hits.query] == found.numbers[hits.target]).all()


def test_nothing_and_one(settings: SimilaritySettings):
    assert len(cluster([], settings)) == 0
    assert cluster(["MKV"], settings).numbers.tolist() == [0]
    assert cluster([], settings).numbers.dtype == np.int64
