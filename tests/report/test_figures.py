import re

import numpy as np
import pytest

from peftide.report.figures import (
    STRIP_TICKS,
    Axis,
    Frame,
    bars,
    between_ticks,
    chart,
    dots,
    line,
    note,
    rule,
    spanning,
    strip,
    strip_axis,
)
from peftide.report.markup import Markup
from tests.report.conftest import Outline

FRAME = Frame(Axis("recall", 0, 1), Axis("precision", 0, 2))
# the area of a chart: 46 to 310 across, 198 down to 10


def test_points_stand_where_the_axes_say() -> None:
    assert FRAME.across([0, 0.5, 1]).tolist() == [46, 178, 310]
    assert FRAME.down([0, 1, 2]).tolist() == [198, 104, 10]
    assert FRAME.across([-5, 7]).tolist() == [46, 310]


def test_a_line_goes_through_its_points() -> None:
    drawn = line(FRAME, [0, 1], [0, 2], class_="model")
    assert 'd="M46.0 198.0L310.0 10.0"' in drawn


def test_dots_and_bars_are_one_per_value() -> None:
    first, second = dots(FRAME, [0, 1], [2, 0], class_="model")
    assert 'cx="46.0" cy="10.0"' in first
    assert 'cx="310.0" cy="198.0"' in second
    (bar,) = bars(FRAME, [0, 0.5], [1], class_="other")
    assert 'x="46.0" y="104.0" width="131.0" height="94.0"' in bar


def test_a_chart_is_one_image_with_a_name_and_labelled_axes() -> None:
    outline = Outline(
        chart(FRAME, rule(FRAME, (0, 0), (1, 2)), note(FRAME, (0, 1), "x"), label="L")
    )
    assert outline.all("svg")[0]["role"] == "img"
    assert outline.all("svg")[0]["aria-label"] == "L"
    assert {"recall", "precision", "0.2", "1.5", "x"} <= {words for _, words in outline.words}


@pytest.mark.parametrize(
    ("low", "high", "widest"),
    [
        (0, 1, "0.2"),
        (0.626, 0.638, "0.6275"),
        (-0.061, -0.049, "−0.0575"),
        (0, 1.25e-7, "1.25e−07"),
    ],
)
def test_tick_labels_leave_room_for_the_title_of_their_axis(
    low: float, high: float, widest: str
) -> None:
    frame = Frame(Axis("epoch", 0, 4), Axis("loss", low, high))
    drawn = chart(frame, label="L")
    labels = re.findall(r'<text x="([\d.]+)"[^>]*text-anchor="end"[^>]*>([^<]+)<', drawn)
    assert widest in [label for _, label in labels]
    digit = 11 * 0.636  # DejaVu Sans, the widest of the usual fonts, of its em
    begins = min(float(x) - digit * len(label) for x, label in labels)
    assert begins > 12 + 11 * 0.22  # the title's baseline and what hangs below it
    assert f'<line x1="{frame.left:g}" y1="198" x2="310"' in drawn
    assert frame.across([0, 4]).tolist() == [frame.left, 310]


@pytest.mark.parametrize(
    "values", [[], [np.nan], [3, 3], [0, 0], [-1e-9, 1e-9], [1e12, 2e12], [0.3, 0.1 + 0.2]]
)
def test_an_axis_always_has_width_and_ticks(values: list[float]) -> None:
    axis = spanning("x", values)
    assert axis.low < axis.high
    assert 2 <= len(axis.ticks()) <= 11
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks())
    assert all(0 <= share <= 1 for share in axis.share(np.nan_to_num(values)))


def percents(drawn: Markup, name: str) -> list[float]:
    return [float(value) for value in re.findall(rf' {name}="([\d.]+)%"', drawn)]


def test_a_strip_shows_dot_interval_and_guess_in_per_cent_of_its_width() -> None:
    axis = Axis("", 0, 1)
    drawn = strip(axis, 0.5, bounds=(0.25, 0.75), guess=0.0, class_="model")
    assert percents(drawn, "cx") == [50]
    whisker = re.findall(r'x1="([\d.]+)%" x2="([\d.]+)%" y1="50%"', drawn)
    assert [[float(x) for x in pair] for pair in whisker] == [[28.5, 71.5]]
    assert re.findall(r'x1="([\d.]+)%"[^>]*class="tick"', drawn) == ["7.00"]


@pytest.mark.parametrize("value", [None, float("nan")])
def test_a_strip_without_value_has_no_dot(value: float | None) -> None:
    assert "circle" not in strip(Axis("", 0, 1), value, class_="model")


@pytest.mark.parametrize(
    "values", [[], [0.5], [0.0, 0.0], [0.31, 0.998], [-0.65, 0.6], [0.3, 0.1 + 0.2]]
)
def test_the_ends_of_a_strip_are_ticks_that_hold_all_values(values: list[float]) -> None:
    axis = between_ticks(values)
    ticks = axis.ticks(STRIP_TICKS)
    assert (ticks[0], ticks[-1]) == (axis.low, axis.high)
    assert all(axis.low <= value <= axis.high for value in values)


def test_the_scale_of_strips_names_two_round_numbers() -> None:
    assert Outline(strip_axis(Axis("", 0.48, 0.63))).text() == "0.50.6"
