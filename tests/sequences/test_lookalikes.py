"""Letters that only look like Latin ones."""

import pytest

from peftide.sequences.lookalikes import in_latin, strange_letters


@pytest.mark.parametrize(
    "text", ["\u0405\u0415quence", "\uff33equence", "sequ\u0435nce", "SEQU\u0395N\u0441E"]
)
def test_texts_that_look_alike_are_one_text(text: str) -> None:
    assert in_latin(text) == "sequence"
    assert strange_letters(text)


@pytest.mark.parametrize("text", ["", "sequence", "na\u00efve", "\u0434\u0430", "\u03b1", "\u4e2d"])
def test_a_text_of_one_script_has_nothing_strange(text: str) -> None:
    assert strange_letters(text) == ""
