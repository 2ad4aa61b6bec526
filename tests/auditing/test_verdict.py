"""A verdict's words."""

import pytest

from peftide.auditing.verdict import conclusion, share


@pytest.mark.parametrize(
    ("count", "of", "text"),
    [
        (43, 4286, "43 of 4,286 proteins (1.0%)"),
        (26, 1_000_000, "26 of 1,000,000 proteins (0.00%)"),
        (0, 10, "0 of 10 proteins (0.0%)"),
        (0, 0, "0 of 0 proteins (0.0%)"),
    ],
)
def test_counts_with_their_share(count: int, of: int, text: str):
    assert share(count, of, "proteins") == text


@pytest.mark.parametrize(
    ("severities", "text"),
    [
        (["ok", "note", "warning", "warning"], "no leak; 2 warnings, 1 note"),
        (["ok"], "no leak"),
        ([], "no leak"),
        (["note", "leak", "warning", "leak"], "2 leaks, 1 warning, 1 note"),
    ],
)
def test_severities_are_counted_from_the_worst(severities: list[str], text: str):
    assert conclusion(severities, searched=True) == text


@pytest.mark.parametrize("severities", [["leak"], ["ok"], ["warning"], []])
def test_a_search_that_was_not_made_is_named(severities: list[str]):
    said = conclusion(severities, searched=False)
    assert "similar proteins were not searched" in said
    assert not said.startswith("no leak;")
