"""A verdict's words."""

import pytest

from peftide.auditing.verdict import share


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
