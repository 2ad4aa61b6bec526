from peftide.tasks.categorical import CATEGORICAL
from peftide.tasks.pair_multiclass import PAIR_MULTICLASS


def test_a_class_belongs_to_two_proteins() -> None:
    assert PAIR_MULTICLASS.level == "pair"
    assert PAIR_MULTICLASS.outcome is CATEGORICAL
