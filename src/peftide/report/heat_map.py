"""Scores of single substitutions → a heat map as SVG: sites across, amino acids down.

Bars above the squares may show one number per residue.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from peftide.quantities import number
from peftide.report.markup import Markup, element
from peftide.sequences.mutants import parse_mutant

LETTERS = "GAVLIMCFYWPSTNQHKRDE"
"""Rows from top to bottom: like beside like."""
CELL, LEFT, TOP, HEAD = 12, 28, 38, 56
"""A square; left and above the squares of a band; the title and the key above all bands."""
BARS = 60
"""Height of the bars above the squares."""
MOST_SITES = 100
"""Sites side by side; longer proteins have several bands of about equal length."""
LEAST_WIDTH = 680
"""Width that the title and the key need."""
LOW, MIDDLE, HIGH = (178, 24, 43), (247, 247, 247), (33, 102, 172)
"""Colours of the lowest score, the median, and the highest."""
UNSCORED, WILD_TYPE = "#c9c9c9", "white"
"""Colours of squares without a score."""
STEPS = 24
"""Squares of the scale in the key."""


@dataclass(frozen=True)
class Bands:
    """The place of each site.

    Attributes
    ----------
    wild_type
        The sequence.
    offset
        Number that is added to the sites of the wild type.
    most_sites
        Sites side by side.
    has_bars, has_squares
        Whether there are bars above the squares, and squares at all.
    """

    wild_type: str
    offset: int = 0
    most_sites: int = MOST_SITES
    has_bars: bool = False
    has_squares: bool = True

    @property
    def count(self) -> int:
        """Number of bands."""
        return math.ceil(len(self.wild_type) / self.most_sites)

    @property
    def sites(self) -> int:
        """Sites of one band: a multiple of ten if there are several bands.

        Examples
        --------
        >>> Bands("M" * 101, 0).sites, Bands("M" * 99, 0).sites
        (60, 99)
        """
        length = len(self.wild_type)
        return length if self.count == 1 else 10 * math.ceil(length / self.count / 10)

    @property
    def top(self) -> int:
        """Height of the labels and bars above the squares of a band."""
        return TOP + (BARS if self.has_bars else 0)

    @property
    def height(self) -> int:
        """Height of a band."""
        return self.top + CELL * (len(LETTERS) + 1 if self.has_squares else 1)

    def place(self, site: int, row: int = 0) -> tuple[int, int]:
        """Return the upper left corner of a square."""
        band, column = divmod(site - 1, self.sites)
        return LEFT + CELL * column, HEAD + band * self.height + self.top + CELL * row


def heat_map(
    mutants: Iterable[str],
    scores: Iterable[float],
    bands: Bands,
    *,
    answer: str,
    middle: float | None = None,
    bars: ArrayLike | None = None,
) -> Markup:
    """Return the heat map of single substitutions; other mutants are left out.

    Parameters
    ----------
    bands
        The wild type and the places of its sites.
    answer
        The title.
    middle
        Score of the pale colour; None: the median.
    bars
        One number per residue, drawn above the squares. Shape (L,).
    """
    cells = []
    for name, score in zip(mutants, scores, strict=True):
        changes = parse_mutant(name).substitutions
        if len(changes) == 1:
            cells.append((changes[0].position - bands.offset, changes[0].new, float(score), name))
    limits = colour_limits([cell[2] for cell in cells], middle=middle)
    named = "median" if middle is None else "unchanged"
    width = max(LEFT + CELL * (bands.sites + 1), LEAST_WIDTH)
    height = HEAD + bands.count * bands.height
    return element(
        "svg",
        element("rect", width=width, height=height, fill="white"),
        element("text", answer, x=LEFT, y=18, font_size=13, class_="title"),
        key(limits, named) if bands.has_squares else None,
        [_site(bands, site) for site in range(1, len(bands.wild_type) + 1)],
        [_cell(bands, cell, limits) for cell in cells],
        None if bars is None else _bars(bands, np.asarray(bars, dtype=np.float64)),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        font_family="sans-serif",
        font_size=11,
        role="img",
        aria_label=answer,
    )


def as_file(picture: Markup) -> str:
    """Return a picture as the content of an SVG file."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{picture}\n'


def colour_limits(scores: list[float], *, middle: float | None) -> np.ndarray:
    """Return the scores of the three colours: low, middle and high.

    Examples
    --------
    >>> colour_limits([-3.0, -2.0, -1.0], middle=0.0).tolist()
    [-2.96, 0.0, 0.0]
    """
    low, median, high = np.quantile(scores, (0.02, 0.5, 0.98)) if scores else np.zeros(3)
    if middle is None:
        return np.array([low, median, high])
    return np.array([min(low, middle), middle, max(high, middle)])


def colour_of(score: float, limits: np.ndarray) -> str:
    """Return the colour of a score between the low, middle and high limits.

    Examples
    --------
    >>> colour_of(0.0, np.array([-1.0, 0.0, 2.0]))
    '#f7f7f7'
    """
    low, middle, high = limits
    end, span = (HIGH, high - middle) if score >= middle else (LOW, middle - low)
    share = min(1.0, abs(score - middle) / span) if span > 0 else 0.0
    channels = (round(m + share * (e - m)) for m, e in zip(MIDDLE, end, strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def key(limits: np.ndarray, middle_name: str) -> list[Markup]:
    """Return the meaning of each colour: low, middle and high scores, wild type, not scored."""
    top, left = 30, LEFT
    low, middle, high = (float(limit) for limit in limits)
    half = STEPS // 2
    values = [*np.linspace(low, middle, half, endpoint=False), *np.linspace(middle, high, half)]
    found = [
        _square(left + CELL * step, top, colour_of(value, limits), width=CELL)
        for step, value in enumerate(values)
    ]
    ends = [(0, "start", f"≤ {number(low)}"), (half, "middle", f"{middle_name} {number(middle)}")]
    ends.append((STEPS, "end", f"≥ {number(high)}"))
    found += [
        element("text", text, x=left + CELL * step, y=top + CELL + 12, text_anchor=anchor)
        for step, anchor, text in ends
    ]
    left += CELL * STEPS + 30
    found += [_square(left, top, WILD_TYPE, stroke="#999999"), _dot(left, top)]
    found.append(element("text", "residue of the wild type", x=left + CELL + 5, y=top + 10))
    left += 165
    found.append(_square(left, top, UNSCORED))
    found.append(element("text", "not scored", x=left + CELL + 5, y=top + 10))
    return found


def _square(left: int, top: int, fill: str, *content: Markup, **attributes: object) -> Markup:
    shape = {"x": left, "y": top, "width": CELL - 1, "height": CELL - 1, "fill": fill}
    return element("rect", *content, **shape | attributes)


def _dot(left: int, top: int) -> Markup:
    return element("circle", cx=left + CELL // 2 - 1, cy=top + CELL // 2, r=2)


def _cell(bands: Bands, cell: tuple[int, str, float, str], limits: np.ndarray) -> Markup:
    site, letter, score, name = cell
    left, top = bands.place(site, LETTERS.index(letter))
    return _square(left, top, colour_of(score, limits), element("title", f"{name}: {score:.4g}"))


def _site(bands: Bands, site: int) -> list[Markup]:
    """Return the column of a site without its scores: its letter, its number, empty squares."""
    residue, shown = bands.wild_type[site - 1], site + bands.offset
    left, top = bands.place(site)
    is_first = (site - 1) % bands.sites == 0
    found = [element("text", residue, x=left + 2, y=top - 4)]
    if shown % 10 == 0 or is_first:
        found.append(element("text", shown, x=left, y=top - bands.top + TOP - 16))
    for row, letter in enumerate(LETTERS if bands.has_squares else ""):
        left, top = bands.place(site, row)
        if is_first:
            found.append(element("text", letter, x=left - 12, y=top + CELL - 2))
        found.append(_square(left, top, WILD_TYPE if letter == residue else UNSCORED))
        if letter == residue:
            found.append(_dot(left, top))
    return found


def _bars(bands: Bands, values: np.ndarray) -> list[Markup]:
    """Return one bar per residue, up or down from a line; all bands have one scale."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    span, limit = (high - low) or 1.0, float(np.abs(values).max()) or 1.0
    found = []
    for site, value in enumerate(values.tolist(), start=1):
        left, top = bands.place(site)
        foot = top - 14 - BARS * -low / span
        length = BARS * abs(value) / span
        name = f"{bands.wild_type[site - 1]}{site + bands.offset}: {value:.4g}"
        shape = {"y": f"{foot - length if value > 0 else foot:.1f}", "stroke": "#888888"}
        shape |= {"height": f"{max(length, 0.5):.1f}", "stroke_width": 0.5}
        fill = colour_of(value, np.array([-limit, 0.0, limit]))
        found.append(_square(left, top, fill, element("title", name), **shape))
    return found
