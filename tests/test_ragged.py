import numpy as np

from peftide.ragged import ragged_rows


def test_rows_of_each_are_listed_in_the_order_asked_for() -> None:
    starts, counts = np.array([7, 0, 3]), np.array([2, 3, 1])
    by_hand = [7, 8, 0, 1, 2, 3]
    assert ragged_rows(starts, counts).tolist() == by_hand


def test_a_protein_without_rows_gives_none() -> None:
    assert ragged_rows(np.array([4, 9]), np.array([0, 2])).tolist() == [9, 10]
