import numpy as np

from peftide.outcomes import Targets


def test_rows_of_examples_come_in_the_order_asked_for() -> None:
    targets = Targets(np.zeros((6, 1)), np.ones(6, dtype=bool), np.array([0, 2, 2, 6]))
    assert targets.rows(np.array([2, 0])).tolist() == [2, 3, 4, 5, 0, 1]
    assert targets.rows(np.array([1])).tolist() == []
