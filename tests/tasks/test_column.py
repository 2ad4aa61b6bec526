from collections import Counter

import pytest

from peftide.tasks.column import Column, row_number


def column(labels: list[str]) -> Column:
    return Column(tuple(labels), Counter(labels), row_number)


def test_a_text_has_the_place_of_its_first_row() -> None:
    assert column(["a", "b", "b"]).where("b") == "row 2"


@pytest.mark.parametrize(
    ("labels", "few"),
    [
        (["yes"] * 9 + ["noo"], True),
        (["yes"] * 8 + ["noo", "maybe"], False),
        (["yes", "yes", "noo"], True),
        (["yes", "noo"], False),
    ],
)
def test_few_rows_are_one_or_a_tenth(labels: list[str], few: bool) -> None:
    odd = {*labels} - {"yes"}
    assert column(labels).has_few(odd) is few
