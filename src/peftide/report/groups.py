"""Rows of a part, grouped by their properties → the score of each group."""

from collections.abc import Callable, Iterator

import numpy as np

from peftide.metrics import metric_name
from peftide.quantities import number
from peftide.report import wording
from peftide.report.figures import Axis, between_ticks, strip, strip_axis
from peftide.report.markup import Markup, element
from peftide.report.read import Part, as_numbers
from peftide.types import BoolArray

QUARTERS = np.linspace(0, 1, 5)
BANDS = (1e-9, 0.5, 0.7, 0.9)
BAND_NAMES = (
    "nothing similar found",
    "below 50 %",
    "50 to 70 %",
    "70 to 90 %",
    "90 % and more",
)


def groups_of(part: Part) -> list[Markup]:
    """Return one table per property of the rows that differs between them."""
    known = [name for name in wording.STRATA if name in part.strata]
    found = {name: list(SPLITS.get(name, split)(part.strata[name])) for name in known}
    scored = {
        name: [(label, int(rows.sum()), *group_score(part, rows)) for label, rows in groups]
        for name, groups in found.items()
        if len(groups) > 1
    }
    if all(score is None for rows in scored.values() for _, _, score, _ in rows):
        return []
    ends = [end for rows in scored.values() for _, _, *pair in rows for end in pair]
    axis = between_ticks(np.array([end for end in ends if end is not None], dtype=np.float64))
    return [group_table(name, rows, part=part, axis=axis) for name, rows in scored.items()]


def groups_intro(part: Part) -> str:
    """Return how to read the tables of groups."""
    shown = part.outcome.shown
    _, guess = shown.group_score(part.truth, part.answers)
    ticks = "" if guess is None else "; ticks show the score of guessing, the share of positives"
    return (
        f"Dots show the {metric_name(shown.group_metric)} of each group{ticks}. "
        "Groups have no intervals, so do not trust small differences."
    )


def split(values: np.ndarray) -> Iterator[tuple[str, BoolArray]]:
    """Yield name and rows of each group: quarters of numbers (fewer if many are equal), or words.

    Examples
    --------
    >>> lengths = np.array(["30", "40", "40", "90"], dtype=object)
    >>> [(name, int(rows.sum())) for name, rows in split(lengths)]
    [('30', 1), ('40', 2), ('90', 1)]
    """
    numbers = as_numbers(values)
    if np.isnan(numbers).any():
        for name in sorted(set(values)):
            yield name, values == name
        return
    edges = np.unique(np.quantile(numbers, QUARTERS[1:], method="inverted_cdf"))
    quarter = np.searchsorted(edges, numbers, side="left")
    for k in np.unique(quarter):
        rows = quarter == k
        low, high = numbers[rows].min(), numbers[rows].max()
        shown = number(low)
        yield shown if low == high else f"{shown} to {number(high)}", rows


def identity_bands(values: np.ndarray) -> Iterator[tuple[str, BoolArray]]:
    """Yield name and rows of each band of identity; 0 means that nothing similar was found.

    Examples
    --------
    >>> identities = np.array(["0", "0.35", "1", "0.97"], dtype=object)
    >>> [(name, int(rows.sum())) for name, rows in identity_bands(identities)]
    [('nothing similar found', 1), ('below 50 %', 1), ('90 % and more', 2)]
    """
    identity = as_numbers(values)
    band = np.searchsorted(BANDS, identity, side="right")
    for k, name in enumerate(BAND_NAMES):
        rows = (band == k) & np.isfinite(identity)
        if rows.any():
            yield name, rows


SPLITS: dict[str, Callable[[np.ndarray], Iterator[tuple[str, BoolArray]]]] = {
    "similarity": identity_bands
}
"""Column of `strata.tsv` → how its rows are grouped, if not by quarters or words."""


def group_score(part: Part, rows: BoolArray) -> tuple[float | None, float | None]:
    """Return the score of some rows, and the score of guessing there if it is known."""
    value, guess = part.outcome.shown.group_score(part.truth[rows], part.answers[rows])
    return (value if np.isfinite(value) else None), guess


def group_table(
    name: str, rows: list[tuple[str, int, float | None, float | None]], *, part: Part, axis: Axis
) -> Markup:
    """Return the table of one property: a row per group."""
    body = [
        element(
            "tr",
            element("th", wording.plain(label), scope="row"),
            element("td", f"{count:,}"),
            element("td", wording.score(value)),
            element("td", strip(axis, value, guess=guess, class_="model"), class_="drawn"),
        )
        for label, count, value, guess in rows
    ]
    head = element(
        "tr",
        element("td", class_="corner"),
        element("th", f"{part.unit}s", scope="col"),
        element("th", "score", scope="col"),
        element("td", strip_axis(axis), class_="drawn"),
    )
    return element(
        "table",
        element("caption", (wording.OF_PAIRS if "id_a" in part.rows else wording.STRATA)[name]),
        element("thead", head),
        element("tbody", body),
        class_="strata",
    )
