import numpy as np

from peftide.splitting.stratified import split_at_random
from peftide.types import IntArray

WISH = np.array([0.8, 0.1, 0.1])


def divide(asked: IntArray, strata: IntArray, *, seed: int) -> IntArray:
    everyone = np.ones(len(asked), dtype=bool)
    return split_at_random(asked, everyone, strata, fractions=WISH, seed=seed)


def test_sizes_are_exact_and_labels_alike_in_every_part() -> None:
    strata = np.random.default_rng(0).choice(3, 1000, p=[0.7, 0.25, 0.05])
    part = divide(np.arange(1000), strata, seed=1)
    assert np.bincount(part).tolist() == [800, 100, 100]
    for stratum in range(3):
        wished = WISH * (strata == stratum).sum()
        found = np.bincount(part[strata == stratum], minlength=3)
        assert np.abs(found - wished).max() < 2


def test_repeats_stay_together() -> None:
    asked = np.random.default_rng(0).integers(0, 60, 400)
    part = divide(asked, np.zeros(400, dtype=np.int64), seed=0)
    for example in range(60):
        assert len(set(part[asked == example])) <= 1
    assert np.abs(np.bincount(part) / 400 - WISH).max() < 0.03


def test_the_seed_decides() -> None:
    asked, strata = np.arange(100), np.zeros(100, dtype=np.int64)
    first, again, other = (divide(asked, strata, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_rows_that_do_not_count_make_no_size() -> None:
    counted = np.arange(200) < 100
    part = split_at_random(
        np.arange(200), counted, np.zeros(200, dtype=np.int64), fractions=WISH, seed=0
    )
    assert np.bincount(part[counted]).tolist() == [80, 10, 10]
