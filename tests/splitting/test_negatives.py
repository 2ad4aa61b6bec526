import numpy as np
import pytest

from peftide.splitting.negatives import sample_negatives

NONE = np.zeros((0, 2), dtype=np.int64)


def scale_free(proteins: int = 400, pairs: int = 2000, seed: int = 0) -> np.ndarray:
    """Return distinct pairs with hubs, as interaction data have them."""
    generator = np.random.default_rng(seed)
    weight = 1 / np.arange(1, proteins + 1) ** 0.7
    ends = generator.choice(proteins, (20 * pairs, 2), p=weight / weight.sum())
    ends = np.unique(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1), axis=0)
    return generator.permutation(ends)[:pairs]


def unordered(pairs: np.ndarray) -> set[tuple[int, int]]:
    return {(min(a, b), max(a, b)) for a, b in pairs.tolist()}


def degrees(pairs: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(pairs.ravel(), minlength=count)


@pytest.mark.parametrize("ratio", [1, 2])
def test_every_protein_is_as_often_in_negatives(ratio: int) -> None:
    positives = scale_free()
    drawn = sample_negatives(positives, positives, ratio=ratio, seed=0)
    assert drawn.missing == 0
    np.testing.assert_array_equal(degrees(drawn.members, 400), ratio * degrees(positives, 400))
    assert len(unordered(drawn.members)) == len(drawn.members) == ratio * len(positives)
    assert not unordered(drawn.members) & unordered(positives)
    assert (drawn.members[:, 0] != drawn.members[:, 1]).all()


def test_a_ratio_between_whole_numbers_is_met_in_total() -> None:
    positives = scale_free()
    drawn = sample_negatives(positives, positives, ratio=1.5, seed=0)
    assert len(drawn.members) == 3000
    excess = degrees(drawn.members, 400) - degrees(positives, 400)
    assert (excess >= 0).all()
    assert (excess <= degrees(positives, 400)).all()


def test_what_other_parts_hold_is_refused_too() -> None:
    positives = scale_free()
    own, others = positives[:200], positives[200:]
    drawn = sample_negatives(own, positives, ratio=1, seed=0)
    assert not unordered(drawn.members) & unordered(others)


def test_hosts_stay_hosts_where_no_protein_is_in_both_columns() -> None:
    generator = np.random.default_rng(0)
    pairs = np.unique(generator.integers(0, [40, 60], (300, 2)) + [0, 40], axis=0)
    drawn = sample_negatives(pairs, pairs, ratio=1, seed=0)
    assert drawn.members[:, 0].max() < 40 <= drawn.members[:, 1].min()
    np.testing.assert_array_equal(degrees(drawn.members, 100), degrees(pairs, 100))


def test_columns_mean_nothing_where_a_protein_is_in_both() -> None:
    positives = scale_free()  # sorted: hubs, the small numbers, are all on the left
    drawn = sample_negatives(positives, positives, ratio=1, seed=0)
    left, right = drawn.members[:, 0] < 20, drawn.members[:, 1] < 20
    assert 0.7 < left.sum() / right.sum() < 1.4


def test_too_few_possible_negatives_are_counted() -> None:
    # one protein that interacts with all the others, which form a ring
    star = np.array([[0, k] for k in range(1, 12)] + [[k, k % 11 + 1] for k in range(1, 12)])
    drawn = sample_negatives(star, star, ratio=1, seed=0)
    assert drawn.missing >= 6  # of the 11 ends of the hub none can be placed
    assert (drawn.members > 0).all()


def test_where_everybody_interacts_nothing_is_drawn() -> None:
    everyone = np.array([[a, b] for a in range(5) for b in range(a)])
    drawn = sample_negatives(everyone, everyone, ratio=1, seed=0)
    assert drawn.members.shape == (0, 2)
    assert drawn.missing == 10


def test_nothing_comes_of_nothing() -> None:
    assert sample_negatives(NONE, NONE, ratio=1, seed=0).members.shape == (0, 2)


def test_the_seed_decides() -> None:
    positives = scale_free(100, 300)
    first, again, other = (
        sample_negatives(positives, positives, ratio=1, seed=seed).members for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert unordered(first) != unordered(other)
