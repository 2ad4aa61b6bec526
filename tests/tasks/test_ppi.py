from peftide.tasks.binary import BINARY
from peftide.tasks.ppi import PPI


def test_an_interaction_is_a_yes_or_no_about_a_pair() -> None:
    assert PPI.level == "pair"
    assert PPI.outcome is BINARY
