from peftide.tasks.multilabel import SUBSET
from peftide.tasks.pair_multilabel import PAIR_MULTILABEL


def test_a_set_of_classes_belongs_to_two_proteins() -> None:
    assert PAIR_MULTILABEL.level == "pair"
    assert PAIR_MULTILABEL.outcome is SUBSET
