import pytest

from peftide.sequences.yes_no import is_yes, mixed_spellings, opposite


@pytest.mark.parametrize(
    ("label", "expected"),
    [("1", True), (" Yes ", True), ("0.0", False), ("NEGATIVE", False), ("2", None), ("", None)],
)
def test_yes_no_and_neither(label: str, expected: bool | None) -> None:
    assert is_yes(label) is expected


@pytest.mark.parametrize(
    ("label", "expected"), [("1", "0"), ("1.0", "0.0"), ("True", "False"), ("positive", "negative")]
)
def test_the_opposite_is_spelled_alike(label: str, expected: str) -> None:
    assert opposite(label) == expected


def test_labels_of_another_spelling_than_most_are_counted() -> None:
    (found,) = mixed_spellings("train", ["yes", "No", "no", "1", "0.0", "TRUE"])
    assert (found.kind, found.count) == ("mixed_spellings", 3)
    assert "1/0 and true/false beside 3 spelled yes/no" in found.decision
    assert mixed_spellings("train", ["1", "0.0", "1.0"]) == ()
