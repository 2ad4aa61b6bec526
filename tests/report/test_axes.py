import pytest

from peftide.report.axes import LogAxis, Places, Whole


def test_equal_factors_are_equally_long() -> None:
    axis = LogAxis("s", 1.0, 100.0)
    assert axis.share([1, 10, 100]).tolist() == pytest.approx([0, 0.5, 1])
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks())
    assert 2 <= len(LogAxis("s", 3, 4e6).ticks()) <= 9


def test_every_word_has_a_place_and_fits() -> None:
    words = tuple(f"a long value {k}" for k in range(8))
    axis = Places("x", -0.5, 7.5, words)
    labels = [axis.shown(tick) for tick in axis.ticks()]
    assert len(labels) == 8
    assert sum(map(len, labels)) <= 48


def test_whole_numbers_have_no_ticks_between_them() -> None:
    assert Whole("epoch", 0.5, 1.5).ticks() == [1.0]
    assert all(tick.is_integer() for tick in Whole("epoch", 0.5, 20.5).ticks())
