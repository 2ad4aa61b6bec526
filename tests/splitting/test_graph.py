from itertools import combinations

import numpy as np
import pytest

from peftide.splitting.graph import PairGraph, split_pair_graph

WISH = np.array([0.8, 0.1, 0.1])


def communities(count: int = 20, size: int = 12, *, bridges: int = 60, seed: int = 0) -> PairGraph:
    """Return dense communities with a few pairs between them; 40 % of the pairs are of class 1."""
    generator = np.random.default_rng(seed)
    inside = [
        (c * size + a, c * size + b) for c in range(count) for a, b in combinations(range(size), 2)
    ]
    between = generator.integers(0, count * size, (bridges, 2)).tolist()
    pairs = np.array(inside + between, dtype=np.int64)
    strata = (generator.random(len(pairs)) < 0.4).astype(np.int64)
    return PairGraph(pairs, strata, np.ones(len(pairs)))


def kept(graph: PairGraph, part: np.ndarray) -> np.ndarray:
    ends = part[graph.groups]
    return ends[:, 0] == ends[:, 1]


@pytest.mark.parametrize("seed", range(3))
def test_communities_stay_whole_and_shares_are_as_wished(seed: int) -> None:
    graph = communities(seed=seed)
    part = split_pair_graph(graph, WISH, seed=seed)
    inside = kept(graph, part)
    assert inside.mean() > 0.95  # all but the bridges: 60 of 1,380
    sizes = np.bincount(part[graph.groups[inside, 0]], minlength=3) / inside.sum()
    np.testing.assert_allclose(sizes, WISH, atol=0.04)


def test_labels_have_their_share_in_every_part() -> None:
    generator = np.random.default_rng(0)
    pairs = generator.integers(0, 150, (4000, 2))
    # class 1 is four times as frequent among the first proteins
    strata = (generator.random(4000) < np.where(pairs.min(axis=1) < 50, 0.6, 0.15)).astype(np.int64)
    graph = PairGraph(pairs, strata, np.ones(4000))
    part = split_pair_graph(graph, WISH, seed=0)
    inside = kept(graph, part)
    overall = strata[inside].mean()
    for number in range(3):
        chosen = inside & (part[pairs[:, 0]] == number)
        assert abs(strata[chosen].mean() - overall) < 0.06


def test_weights_of_zero_do_not_count() -> None:
    graph = communities(bridges=0)
    noise = np.random.default_rng(1).integers(0, 240, (5000, 2))
    weights = np.concatenate([graph.weights, np.zeros(5000)])
    strata = np.concatenate([graph.strata, np.zeros(5000, dtype=np.int64)])
    noisy = PairGraph(np.concatenate([graph.groups, noise]), strata, weights)
    assert kept(graph, split_pair_graph(noisy, WISH, seed=0)).mean() > 0.95


def test_a_part_without_share_gets_nothing() -> None:
    part = split_pair_graph(communities(), np.array([0.7, 0.0, 0.3]), seed=0)
    assert set(part.tolist()) == {0, 2}


def test_the_seed_decides() -> None:
    graph = communities()
    first, again = (split_pair_graph(graph, WISH, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_a_star_cannot_be_divided_and_ends_without_error() -> None:
    star = np.stack([np.zeros(30, dtype=np.int64), np.arange(1, 31)], axis=1)
    graph = PairGraph(star, np.zeros(30, dtype=np.int64), np.ones(30))
    part = split_pair_graph(graph, WISH, seed=0)
    inside = kept(graph, part)
    assert set(part[star[inside, 0]]) <= {part[0]}
