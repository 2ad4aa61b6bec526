"""The points of a map with labels and parts → its page, and its pictures as files.

The colours of points are neither light nor dark, so that one picture fits both colour schemes.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from peftide.quantities import count_of, number
from peftide.report import wording
from peftide.report.figures import HEIGHT, WIDTH, Frame, chart, spanning
from peftide.report.markup import Markup, element, joined, prose
from peftide.report.page import document, listed
from peftide.report.tables import Section, section
from peftide.report.writing import page_footer, page_header
from peftide.sequences.label_kinds import is_number
from peftide.sequences.parts import PARTS

COLOURS = (
    *("#3b82c4", "#d9762b", "#3a9a5b", "#9467bd", "#d1495b", "#1b9aaa", "#a08a1e", "#d16ba5"),
)
OTHERS, UNKNOWN = "#8a8f96", "#8a8f96"
LOW, HIGH = (47, 127, 208), (224, 117, 45)
"""Colours of the lowest and the highest number."""
MOST_DRAWN = 4000
"""Points of a picture; of larger maps a random sample is drawn."""
FEW = 300
"""Maps with fewer points have larger ones."""
LONGEST_NAME = 22
"""Characters of a class in the key."""
LINE, STEPS, COLUMNS = 16, 24, 2
"""Height of a line of the key; squares of the scale of numbers; classes side by side."""


@dataclass(frozen=True)
class Colouring:
    """The colours of the points by one column.

    Attributes
    ----------
    title
        Name of the column that the colours show, or "" for one colour.
    values
        Text of each point; empty: unknown.
    colours
        Colour of each point.
    key
        The meaning of the colours, drawn below a chart.
    height
        Height of the key.
    """

    title: str
    values: Sequence[str]
    colours: Sequence[str]
    key: Markup
    height: int


def map_page(table: pd.DataFrame, record: Mapping[str, Any], *, title: str) -> str:
    """Return the whole page.

    Parameters
    ----------
    table
        `id`, two columns of each projection, and `label` and `split` if they are known.
    record
        Content of `run.json`.
    """
    facts = [
        ("embedded with", record["embedded_with"]),
        ("sequences", f"{len(table):,}"),
        ("labels", str(record["options"]["data"] or "")),
        ("date", wording.moment(record["date"])),
    ]
    found = [_projection_section(table, record, one) for one in record["projections"]]
    return document(
        title,
        header=page_header("embed", title, facts),
        main=[element("p", prose(_how_to_read(table, record)), class_="answer"), *listed(found)],
        footer=page_footer(record, record["options"]["map"]),
    )


def titles(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns that colour a map, with names for readers.

    Examples
    --------
    >>> titles({"options": {"label_column": "organism"}})
    {'label': 'organism', 'split': 'part'}
    """
    return {"label": record["options"]["label_column"], "split": "part"}


def _how_to_read(table: pd.DataFrame, record: Mapping[str, Any]) -> str:
    found = ["Each point is one sequence; point at it for its id."]
    if not record["options"]["data"]:
        found.append("To colour the points by a label, give a table as `--data`.")
    if len(table) > MOST_DRAWN:
        found.append(f"A random sample of {MOST_DRAWN:,} is drawn; map.tsv has all.")
    if record["of_pairs"]:
        found.append(
            "Labels belong to pairs: numbers are the mean over all pairs of a protein, so with "
            "yes and no the share of its positive pairs."
        )
    return " ".join(found)


ABOUT = {
    "pca": "The two directions along which the embeddings vary most. Distances are those of the "
    "embeddings, as far as two directions can show them.",
    "umap": "UMAP keeps neighbours together. Distances between groups, and their sizes, mean "
    "little.",
}
"""Projection → how to read it."""


def _projection_section(
    table: pd.DataFrame, record: Mapping[str, Any], one: Mapping[str, Any]
) -> Section | None:
    known = titles(record)
    figures = [
        element(
            "figure",
            element("figcaption", element("b", f"By {known[name]}")) if name else None,
            drawn,
        )
        for name, drawn in pictures(table, one, known)
    ]
    return section(
        one["title"], element("div", figures, class_="figures"), intro=ABOUT[one["name"]]
    )


def pictures(
    table: pd.DataFrame, one: Mapping[str, Any], known: Mapping[str, str]
) -> Iterator[tuple[str, Markup]]:
    """Yield column and chart for each column that colours the points of a projection.

    Parameters
    ----------
    one
        `name`, `title` and `axes` of the projection.
    known
        As `titles` gives them.
    """
    drawn = table
    if len(table) > MOST_DRAWN:
        drawn = table.sample(MOST_DRAWN, random_state=0).sort_index()
    columns = [name for name in known if name in table] or [""]
    x, y = (table[f"{one['name']}_{axis}"].to_numpy() for axis in (1, 2))
    frame = Frame(spanning(one["axes"][0], x), spanning(one["axes"][1], y))
    for name in columns:
        values = drawn[name].tolist() if name else [""] * len(drawn)
        colouring = colour(values, title=known.get(name, ""))
        yield name, _picture(drawn, frame, colouring, one=one)


def _picture(
    table: pd.DataFrame, frame: Frame, colouring: Colouring, *, one: Mapping[str, Any]
) -> Markup:
    across = frame.across(table[f"{one['name']}_1"].to_numpy()).tolist()
    down = frame.down(table[f"{one['name']}_2"].to_numpy()).tolist()
    names = [
        f"{name}: {value or 'unknown'}" if colouring.title else name
        for name, value in zip(table["id"], colouring.values, strict=True)
    ]
    radius = 3.0 if len(table) < FEW else 2.0
    # in random order, so that no class hides another; unknown ones lie below
    order = np.random.default_rng(0).permutation(len(table)).tolist()
    order.sort(key=lambda index: bool(colouring.values[index]))
    points = [
        element(
            "circle",
            element("title", names[k]),
            cx=f"{across[k]:.1f}",
            cy=f"{down[k]:.1f}",
            r=radius,
            fill=colouring.colours[k],
            fill_opacity=0.8,
        )
        for k in order
    ]
    by = f", coloured by {colouring.title}" if colouring.title else ""
    label = f"{one['title']} of {count_of(len(table), 'sequence')}{by}"
    return chart(frame, joined(points), colouring.key, label=label, below=colouring.height)


def colour(values: Sequence[str], *, title: str) -> Colouring:
    """Return the colours of the points by their values.

    More numbers than colours get a scale. Of more classes than colours, the rarest are grey.
    """
    if not title:
        return Colouring("", values, [COLOURS[0]] * len(values), Markup(""), 0)
    known = [value for value in values if value]
    if len(set(known)) > len(COLOURS) and all(map(is_number, known)):
        return _scale(values, title)
    counts = Counter(known)
    most = counts.most_common()
    shown = [value for value, _ in most[: len(COLOURS) - (len(most) > len(COLOURS))]]
    shown.sort(key=_in_order)
    palette = dict(zip(shown, COLOURS, strict=False))
    entries = [(palette[value], f"{_short(value)} ({counts[value]:,})") for value in shown]
    rest = len(known) - sum(counts[value] for value in shown)
    if rest:
        entries.append((OTHERS, f"{count_of(len(most) - len(shown), 'other')} ({rest:,})"))
    if len(known) < len(values):
        entries.append((UNKNOWN, f"no {_short(title)} ({len(values) - len(known):,})"))
    colours = [palette.get(value, OTHERS) for value in values]
    rows = math.ceil(len(entries) / COLUMNS)
    return Colouring(title, values, colours, _key(entries), rows * LINE + LINE // 2)


def _in_order(value: str) -> tuple[int, float, str]:
    """Return a sort key: parts as a training uses them, then numbers, then words."""
    if value in PARTS:
        return (0, PARTS.index(value), value)
    return (1, float(value), value) if is_number(value) else (2, 0.0, value)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"


def _key(entries: Sequence[tuple[str, str]]) -> Markup:
    width, found = (WIDTH - 10) / COLUMNS, []
    for place, (colour_of_it, text) in enumerate(entries):
        row, column = divmod(place, COLUMNS)
        left, middle = 14 + column * width, HEIGHT + LINE // 2 + row * LINE
        found.append(element("circle", cx=left, cy=middle, r=4, fill=colour_of_it))
        found.append(element("text", text, x=left + 9, y=middle + 4))
    return joined(found)


def _scale(values: Sequence[str], title: str) -> Colouring:
    """Return colours from the lowest to the highest number; a few extreme ones share the ends."""
    numbers = np.array([float(value) if value else np.nan for value in values])
    low, high = np.nanquantile(numbers, (0.02, 0.98)).tolist()
    shares = np.clip((numbers - low) / ((high - low) or 1.0), 0, 1).tolist()
    colours = [UNKNOWN if math.isnan(share) else _between(share) for share in shares]
    left, step, top = 46, 8, HEIGHT + 2
    squares = [
        element(
            "rect", x=left + step * k, y=top, width=step, height=10, fill=_between(k / (STEPS - 1))
        )
        for k in range(STEPS)
    ]
    middle = left + step * STEPS / 2
    ends = [(left, "start", f"≤ {number(low)}"), (left + step * STEPS, "end", f"≥ {number(high)}")]
    texts = [
        element("text", text, x=float(x), y=top + 22, text_anchor=anchor)
        for x, anchor, text in [*ends, (middle, "middle", _short(title))]
    ]
    return Colouring(title, values, colours, joined([squares, texts]), 32)


def _between(share: float) -> str:
    pairs = zip(LOW, HIGH, strict=True)
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in pairs)


FILE_STYLE = """
svg { font-family: sans-serif; } text { font-size: 11px; fill: #5a6068; }
.paper { fill: #fdfdfb; } .axis { stroke: #5a6068; } .grid { stroke: #d9dcdf; }
@media (prefers-color-scheme: dark) {
  text { fill: #a3a9b0; } .paper { fill: #16181b; }
  .axis { stroke: #a3a9b0; } .grid { stroke: #363a3f; }
}
"""
"""What a picture of its own needs from the style sheet of a page."""


def as_file(picture: Markup) -> str:
    """Return a chart of a page as the content of an SVG file."""
    size = picture.split('viewBox="0 0 ', 1)[1].split('"', 1)[0]
    width, height = map(int, size.split())
    whole = element(
        "svg",
        element("style", Markup(FILE_STYLE)),
        element("rect", width="100%", height="100%", fill="#fdfdfb", class_="paper"),
        picture,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=2 * width,
        height=2 * height,
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{whole}\n'
