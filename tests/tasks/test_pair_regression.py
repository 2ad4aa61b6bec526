from peftide.tasks.continuous import CONTINUOUS
from peftide.tasks.pair_regression import PAIR_REGRESSION


def test_a_value_belongs_to_two_proteins() -> None:
    assert PAIR_REGRESSION.level == "pair"
    assert PAIR_REGRESSION.outcome is CONTINUOUS
