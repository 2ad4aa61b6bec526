"""Scores of single substitutions → a heat map as SVG: sites across, amino acids down."""

from collections.abc import Iterable

import numpy as np

from peftide.report.markup import Markup, element
from peftide.sequences.mutants import parse_mutant

LETTERS = "GAVLIMCFYWPSTNQHKRDE"
"""Rows from top to bottom: like beside like."""
CELL, LEFT, TOP = 12, 28, 36
SITES_PER_BAND = 100
LOW, MIDDLE, HIGH = (178, 24, 43), (247, 247, 247), (33, 102, 172)
"""Colours of the lowest score, the median, and the highest."""


def heat_map(
    mutants: Iterable[str], scores: Iterable[float], wild_type: str, *, offset: int
) -> str:
    """Return the heat map of single substitutions; other mutants are left out.

    Parameters
    ----------
    offset
        Number that is added to the sites of the wild type.
    """
    cells = []
    for name, score in zip(mutants, scores, strict=True):
        changes = parse_mutant(name).substitutions
        if len(changes) == 1:
            cells.append((changes[0].position - offset, changes[0].new, float(score), name))
    limits = np.quantile([cell[2] for cell in cells], (0.02, 0.5, 0.98)) if cells else np.zeros(3)
    bands = (len(wild_type) + SITES_PER_BAND - 1) // SITES_PER_BAND
    height = bands * _band_height()
    drawn = [_cell(cell, limits) for cell in cells]
    labels = [_band_labels(band, wild_type, offset) for band in range(bands)]
    width = LEFT + CELL * (min(len(wild_type), SITES_PER_BAND) + 1)
    picture = element(
        "svg",
        element("rect", width=width, height=height, fill="white"),
        drawn,
        labels,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        font_family="sans-serif",
        font_size=9,
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{picture}\n'


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


def _band_height() -> int:
    return TOP + CELL * (len(LETTERS) + 1)


def _place(site: int) -> tuple[int, int]:
    band, column = divmod(site - 1, SITES_PER_BAND)
    return LEFT + CELL * column, band * _band_height() + TOP


def _cell(cell: tuple[int, str, float, str], limits: np.ndarray) -> Markup:
    site, letter, score, name = cell
    left, top = _place(site)
    return element(
        "rect",
        element("title", f"{name}: {score:.4g}"),
        x=left,
        y=top + CELL * LETTERS.index(letter),
        width=CELL - 1,
        height=CELL - 1,
        fill=colour_of(score, limits),
    )


def _band_labels(band: int, wild_type: str, offset: int) -> list[Markup]:
    first = band * SITES_PER_BAND + 1
    sites = range(first, min(first + SITES_PER_BAND, len(wild_type) + 1))
    left, top = _place(first)
    found = [
        element("text", letter, x=left - 12, y=top + CELL * (row + 1) - 3)
        for row, letter in enumerate(LETTERS)
    ]
    for site in sites:
        x, y = _place(site)
        found.append(element("text", wild_type[site - 1], x=x + 2, y=y - 4))
        if (site + offset) % 10 == 0 or site == first:
            found.append(element("text", site + offset, x=x, y=y - 16))
        if wild_type[site - 1] in LETTERS:
            row = LETTERS.index(wild_type[site - 1])
            found.append(
                element("circle", cx=x + CELL // 2 - 1, cy=y + CELL * row + CELL // 2, r=2)
            )
    return found
