import pytest

from peftide.evaluation.strata import SEEN
from peftide.report import wording


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.61949, "0.619"), (None, "–"), (float("nan"), "–"), (-0.5, "−0.500"), (1, "1.000")],
)
def test_scores_have_three_digits_or_a_dash(value: float | None, text: str) -> None:
    assert wording.score(value) == text


def test_an_interval_needs_both_ends() -> None:
    assert wording.interval(0.1, None) == ""
    assert wording.interval(-0.1, 0.2) == "[−0.100, 0.200]"


def test_every_name_of_what_was_seen_reads_as_words() -> None:
    assert {wording.plain(name) for names in SEEN.values() for name in names} == {
        *("none seen", "one seen", "both seen", "unseen", "seen")
    }
