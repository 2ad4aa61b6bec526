import pytest

from peftide.quantities import byte_size, duration, number


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0 s"),
        (0.4, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3599.6, "1 h 0 min"),
        (7260, "2 h 1 min"),
        (90_000, "25 h 0 min"),
        (float("inf"), "unknown time"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (999, "999 B"), (52_300, "52 kB"), (2_340_000, "2 MB"), (5.6e9, "5.6 GB")],
)
def test_sizes_have_powers_of_ten(count: float, said: str) -> None:
    assert byte_size(count) == said


def test_numbers_keep_four_digits() -> None:
    assert [number(value) for value in (-1234.0, 0.123456, -2.5)] == ["−1,234", "0.1235", "−2.5"]
