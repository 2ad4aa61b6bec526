from collections.abc import Sequence

import numpy as np
import pytest

from peftide.explaining.deletion import ORDERS, Deletion, delete


def counted(texts: Sequence[str]) -> np.ndarray:
    """The score is the number of W that are left."""
    return np.array([float(text.count("W")) for text in texts])


SEQUENCE = "".join("W" if k % 10 == 3 else "A" for k in range(100))
TRUE = np.array([float(letter == "W") for letter in SEQUENCE])


def test_hiding_follows_the_attribution() -> None:
    found = delete(SEQUENCE, TRUE, counted)
    assert found.hidden.tolist() == [0, 2, 5, 10, 15, 20, 30, 40, 50]
    assert found.attributed.tolist() == [10, 8, 5, 0, 0, 0, 0, 0, 0]
    assert found.random.shape == (ORDERS, 9)
    assert found.is_ahead


def test_the_area_is_the_mean_fall_of_the_score() -> None:
    hidden = np.array([0, 10, 20])
    found = Deletion(hidden, np.array([5.0, 1.0, 1.0]), np.array([[5.0, 4.0, 3.0]] * 2))
    assert found.area == pytest.approx((0 + 4) / 2 / 2 + (4 + 4) / 2 / 2)
    assert found.random_areas.tolist() == [1.0, 1.0]
    assert found.lead == pytest.approx(2.0)


def test_the_wrong_way_round_is_no_faithful_attribution() -> None:
    found = delete(SEQUENCE, -TRUE, counted)
    assert found.lead < 0
    assert not found.is_ahead


def test_random_orders_hide_their_share_on_average() -> None:
    found = delete(SEQUENCE, TRUE, counted)
    np.testing.assert_allclose(found.random.mean(axis=0), 10 - found.hidden / 10, atol=0.8)
    again = delete(SEQUENCE, TRUE, counted)
    assert np.array_equal(found.random, again.random)
    assert not np.array_equal(found.random, delete(SEQUENCE, TRUE, counted, seed=1).random)


def test_a_short_sequence_hides_at_least_one_residue() -> None:
    found = delete("MKW", np.array([0.0, 0.0, 1.0]), counted)
    assert found.hidden.tolist() == [0, 1, 2]
    assert found.attributed.tolist() == [1, 0, 0]
