import numpy as np
import pytest

from peftide.splitting.clusters import split_by_cluster

WISH = np.array([0.8, 0.1, 0.1])


def families(seed: int, count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Cluster and label of each row: sizes differ much, and a cluster mostly has one label."""
    generator = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(count), np.minimum(generator.zipf(1.7, count), 60))
    main = generator.choice(4, count, p=[0.6, 0.25, 0.1, 0.05])[clusters]
    labels = np.where(generator.random(len(clusters)) < 0.9, main, 0)
    return clusters, np.eye(4)[labels]


@pytest.mark.parametrize("seed", range(3))
def test_clusters_are_whole_and_sizes_and_labels_as_wished(seed: int) -> None:
    clusters, labels = families(seed)
    part = split_by_cluster(clusters, labels, WISH, seed=seed)
    for cluster in np.unique(clusters):
        assert len(set(part[clusters == cluster])) == 1
    sizes = np.bincount(part, minlength=3) / len(part)
    np.testing.assert_allclose(sizes, WISH, atol=0.01)
    for number in range(3):
        shares = labels[part == number].mean(axis=0)
        np.testing.assert_allclose(shares, labels.mean(axis=0), atol=0.05)


def test_a_giant_cluster_goes_to_train_and_the_rest_is_shared() -> None:
    clusters = np.concatenate([np.zeros(900, dtype=np.int64), np.arange(1, 101)])
    part = split_by_cluster(clusters, np.zeros((1000, 0)), WISH, seed=0)
    assert set(part[:900]) == {0}
    assert (np.bincount(part)[1:] >= 45).all()


def test_a_part_without_share_gets_nothing() -> None:
    part = split_by_cluster(np.arange(50), np.ones((50, 1)), np.array([0.8, 0.0, 0.2]), seed=0)
    assert np.bincount(part, minlength=3).tolist() == [40, 0, 10]


def test_the_seed_decides_among_equals() -> None:
    first, again, other = (
        split_by_cluster(np.arange(90), np.zeros((90, 0)), WISH, seed=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(("rare", "parts"), [(1, {0}), (2, {0, 2}), (3, {0, 1, 2}), (9, {0, 1, 2})])
def test_a_rare_class_is_in_as_many_parts_as_its_clusters_allow(rare: int, parts: set) -> None:
    # `rare` clusters of ten rows hold a class that the other 100 clusters lack
    clusters = np.repeat(np.arange(100 + rare), 10)
    labels = np.eye(2)[(clusters >= 100).astype(np.int64)]
    for seed in range(3):
        part = split_by_cluster(clusters, labels, WISH, seed=seed)
        assert set(part[clusters >= 100]) == parts
        np.testing.assert_allclose(np.bincount(part) / len(part), WISH, atol=0.04)


def test_a_class_of_large_clusters_does_not_fill_a_small_part() -> None:
    clusters = np.concatenate([np.repeat([0, 1], 300), np.arange(2, 402)])
    labels = np.eye(2)[(clusters < 2).astype(np.int64)]
    part = split_by_cluster(clusters, labels, WISH, seed=0)
    assert set(part[:600]) == {0}
