from peftide.tasks.continuous import CONTINUOUS
from peftide.tasks.regression import REGRESSION


def test_a_value_belongs_to_one_sequence() -> None:
    assert REGRESSION.level == "sequence"
    assert REGRESSION.outcome is CONTINUOUS
    assert not REGRESSION.outcome.supports_imbalance
