"""Arrays → small drawings in SVG that take their colours from the page.

A chart is 320 × 240 units with its own text, so that a phone shows it at full size. A strip is one
line of a table: a dot with its interval, placed in per cent, as wide as its cell.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from peftide.report.markup import Markup, element

WIDTH, HEIGHT = 320, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 42  # least margins around the area of a chart
TITLE = 17  # left of it, the title of the vertical axis alone
CHARACTER = 7.0  # a digit of a wide font (DejaVu Sans) in the 11 px of a tick label
MOST_POINTS = 400
TICKS = 5
STRIP_TICKS = 4
ROUNDING = 1e-9
STRIP_MARGIN = 7.0  # per cent of a strip left and right, so that no dot is cut


@dataclass(frozen=True)
class Axis:
    """One side of a chart, with its range."""

    label: str
    low: float
    high: float

    def share(self, values: ArrayLike) -> np.ndarray:
        """Return values as places along the axis, from 0 to 1; values outside it are clipped."""
        span = (np.asarray(values, dtype=np.float64) - self.low) / (self.high - self.low)
        return np.clip(span, 0.0, 1.0)

    def ticks(self, count: int = TICKS) -> list[float]:
        """Return about `count` round numbers along the axis.

        Examples
        --------
        >>> Axis("recall", 0, 1).ticks()
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
        """
        step = round_step(self.high - self.low, count)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(k * step, 12) for k in range(first, last + 1)]

    def shown(self, tick: float) -> str:
        """Return the label of a tick."""
        return _shown(tick)


@dataclass(frozen=True)
class Frame:
    """The two axes of a chart."""

    x: Axis
    y: Axis

    @property
    def left(self) -> float:
        """Where the area of the chart begins: right of the title and the widest tick label."""
        widest = max((len(_shown(value)) for value in self.y.ticks()), default=0)
        return max(LEFT, TITLE + CHARACTER * widest + 6)

    def across(self, values: ArrayLike) -> np.ndarray:
        """Return horizontal places in units of the drawing."""
        return self.left + self.x.share(values) * (WIDTH - self.left - RIGHT)

    def down(self, values: ArrayLike) -> np.ndarray:
        """Return vertical places in units of the drawing."""
        return HEIGHT - BOTTOM - self.y.share(values) * (HEIGHT - TOP - BOTTOM)


def round_step(span: float, count: int) -> float:
    """Return 1, 2, 2.5 or 5 times a power of ten that divides a span into about `count` steps.

    Examples
    --------
    >>> round_step(1.0, 5), round_step(37.0, 5)
    (0.2, 5.0)
    """
    raw = span / count
    power = 10.0 ** math.floor(math.log10(raw))
    return min((m * power for m in (1, 2, 2.5, 5, 10)), key=lambda step: abs(step - raw))


def has_width(low: float, high: float) -> bool:
    """Return whether two values differ by more than rounding errors.

    Examples
    --------
    >>> has_width(0.3, 0.1 + 0.2), has_width(0.3, 0.31)
    (False, True)
    """
    return high - low > ROUNDING * max(abs(low), abs(high))


def spanning(label: str, values: ArrayLike, *, margin: float = 0.05) -> Axis:
    """Return an axis that holds all finite values with a margin; never one without width."""
    found = np.asarray(values, dtype=np.float64)
    found = found[np.isfinite(found)]
    if not found.size:
        return Axis(label, 0.0, 1.0)
    low, high = float(found.min()), float(found.max())
    span = high - low if has_width(low, high) else max(abs(high), 1.0) * 0.1
    return Axis(label, low - margin * span, high + margin * span)


def between_ticks(values: ArrayLike) -> Axis:
    """Return the axis of a strip: its ends are ticks, so every value lies between labelled ends.

    Examples
    --------
    >>> axis = between_ticks([0.307, 0.702])
    >>> axis.low, axis.high
    (0.3, 0.8)
    """
    raw = spanning("", values, margin=0)
    raw = raw if has_width(raw.low, raw.high) else spanning("", values)
    step = round_step(raw.high - raw.low, STRIP_TICKS)
    first, last = math.floor(raw.low / step + 1e-9), math.ceil(raw.high / step - 1e-9)
    return Axis("", round(first * step, 12), round(last * step, 12))


def chart(frame: Frame, *marks: Markup, label: str, below: int = 0) -> Markup:
    """Return a chart: grid, axes, then the marks in their order.

    Parameters
    ----------
    label
        Is read aloud.
    below
        Height of the room for marks below the chart.
    """
    middle = (TOP + HEIGHT - BOTTOM) / 2
    upright = {"text_anchor": "middle", "transform": f"rotate(-90 12 {middle:g})"}
    return element(
        "svg",
        [_grid_line(frame, value) for value in frame.y.ticks()],
        [_tick(frame, value) for value in frame.x.ticks()],
        _segment((frame.left, HEIGHT - BOTTOM), (WIDTH - RIGHT, HEIGHT - BOTTOM), class_="axis"),
        _text((frame.left + WIDTH - RIGHT) / 2, HEIGHT - 6, frame.x.label, text_anchor="middle"),
        _text(12, middle, frame.y.label, **upright),
        marks,
        viewBox=f"0 0 {WIDTH} {HEIGHT + below}",
        role="img",
        aria_label=label,
        class_="chart",
    )


def line(frame: Frame, x: ArrayLike, y: ArrayLike, *, class_: str) -> Markup:
    """Return a curve through points."""
    across, down = frame.across(x), frame.down(y)
    points = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(across, down, strict=True))
    return element("path", d=f"M{points}", class_=f"line {class_}")


def dots(
    frame: Frame, x: ArrayLike, y: ArrayLike, *, class_: str, radius: float = 3.0
) -> list[Markup]:
    """Return one dot per point."""
    places = zip(frame.across(x).tolist(), frame.down(y).tolist(), strict=True)
    return [
        element("circle", cx=f"{a:.1f}", cy=f"{b:.1f}", r=radius, class_=f"dot {class_}")
        for a, b in places
    ]


def bars(frame: Frame, edges: ArrayLike, heights: ArrayLike, *, class_: str) -> list[Markup]:
    """Return one bar between each two edges, from the foot of the chart to its height."""
    across, tops = frame.across(edges), frame.down(heights)
    foot = HEIGHT - BOTTOM
    return [
        element(
            "rect",
            x=f"{left:.1f}",
            y=f"{top:.1f}",
            width=f"{max(right - left - 1, 0.5):.1f}",
            height=f"{foot - top:.1f}",
            class_=f"bar {class_}",
        )
        for left, right, top in zip(across[:-1], across[1:], tops, strict=True)
    ]


def rule(
    frame: Frame, start: tuple[float, float], end: tuple[float, float], *, class_: str = "reference"
) -> Markup:
    """Return a straight line between two points of the axes."""
    (x1, x2), (y1, y2) = frame.across([start[0], end[0]]), frame.down([start[1], end[1]])
    return _segment((x1, y1), (x2, y2), class_=class_)


def note(frame: Frame, place: tuple[float, float], text: str, **attributes: Any) -> Markup:
    """Return a few words at a point of the axes; lines of the grid stop around them."""
    across, down = frame.across([place[0]])[0], frame.down([place[1]])[0]
    return _text(float(across), float(down), text, class_="note", **attributes)


def apart(places: Sequence[float], distance: float) -> list[float]:
    """Move places down until they are at least a distance apart; their order stays.

    Examples
    --------
    >>> apart([10.0, 50.0, 12.0], 8.0)
    [10.0, 50.0, 18.0]
    """
    found, last = [0.0] * len(places), -math.inf
    for number in sorted(range(len(places)), key=places.__getitem__):
        last = found[number] = max(places[number], last + distance)
    return found


def strip(
    axis: Axis,
    value: float | None,
    *,
    bounds: tuple[float | None, float | None] = (None, None),
    guess: float | None = None,
    class_: str,
) -> Markup:
    """Return one line of a table: a dot, its interval, and a tick at the score of guessing.

    The row has the same numbers as text, so the drawing is hidden from screen readers.
    """
    marks = [
        element("line", x1=place, x2=place, y1=0, y2="100%", class_="grid")
        for place in _percent(axis, axis.ticks(STRIP_TICKS))
    ]
    low, high = bounds
    if guess is not None:
        (place,) = _percent(axis, [guess])
        marks.append(element("line", x1=place, x2=place, y1="12%", y2="88%", class_="tick"))
    if low is not None and high is not None:
        ends = _percent(axis, [low, high])
        marks.append(
            element("line", x1=ends[0], x2=ends[1], y1="50%", y2="50%", class_=f"whisker {class_}")
        )
    if value is not None and math.isfinite(value):
        (place,) = _percent(axis, [value])
        marks.append(element("circle", cx=place, cy="50%", r=4, class_=f"dot {class_}"))
    return element("svg", marks, class_="strip", aria_hidden="true")


def strip_axis(axis: Axis) -> Markup:
    """Return the scale above the strips of a table: its ends and its middle."""
    ticks = axis.ticks(STRIP_TICKS)
    chosen = [ticks[0], ticks[-1]] if len(ticks) > 1 else ticks
    marks = [
        element("text", _shown(value), x=place, y="75%", text_anchor="middle")
        for value, place in zip(chosen, _percent(axis, chosen), strict=True)
    ]
    return element("svg", marks, class_="strip scale", aria_hidden="true")


def _percent(axis: Axis, values: Sequence[float]) -> list[str]:
    places = STRIP_MARGIN + axis.share(values) * (100 - 2 * STRIP_MARGIN)
    return [f"{place:.2f}%" for place in places]


def _shown(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _segment(start: tuple[float, float], end: tuple[float, float], *, class_: str) -> Markup:
    (x1, y1), (x2, y2) = start, end
    return element("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_)


def _text(x: float, y: float, text: str, **attributes: Any) -> Markup:
    return element("text", text, x=float(x), y=float(y), **attributes)


def _grid_line(frame: Frame, value: float) -> Markup:
    y = float(frame.down([value])[0])
    return element(
        "g",
        _segment((frame.left, y), (WIDTH - RIGHT, y), class_="grid"),
        _text(frame.left - 6, y + 4, _shown(value), text_anchor="end"),
    )


def _tick(frame: Frame, value: float) -> Markup:
    x, foot = float(frame.across([value])[0]), HEIGHT - BOTTOM
    return element(
        "g",
        _segment((x, foot), (x, foot + 4), class_="axis"),
        _text(x, foot + 16, frame.x.shown(value), text_anchor="middle"),
    )
