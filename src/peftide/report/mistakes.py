"""Rows of a part → its errors: the confusion of classes, and the largest mistakes."""

import re

import numpy as np
import pandas as pd

from peftide.quantities import number
from peftide.report import wording
from peftide.report.markup import Markup, element
from peftide.report.read import Part
from peftide.report.tables import class_name, scrolling, table
from peftide.types import FloatArray, IntArray

SHOWN_MISTAKES = 10
DEFAULT_THRESHOLD = 0.5
LONG_NUMBER = re.compile(r"[-+]?\d*\.\d{6,}(e[-+]?\d+)?")
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?")
MOST_CLASSES = 24
MOST_ACROSS = 100
"""Characters of all class names that fit side by side; longer names are written upright."""


def confusion(part: Part, *, threshold: float | None) -> tuple[tuple[str, ...], IntArray] | None:
    """Return class names, and how many rows of each true class are predicted as each.

    None if rows have no single true class. Classes that occur on neither side are left out.
    Shape (K, K), truth first.
    """
    decisions = part.outcome.shown.decisions
    if decisions is None:
        return None
    names, true, predicted = decisions(
        part.truth, part.answers, part.class_names, threshold=_cut(threshold)
    )
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, (true, predicted), 1)
    occurring = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    return tuple(names[k] for k in occurring), counts[np.ix_(occurring, occurring)]


def _cut(threshold: float | None) -> float:
    return DEFAULT_THRESHOLD if threshold is None else threshold


def most_frequent(
    names: tuple[str, ...], counts: IntArray, *, most: int = MOST_CLASSES
) -> tuple[tuple[str, ...], IntArray]:
    """Return the confusion of the classes that occur most; all other classes become one.

    Examples
    --------
    >>> names, counts = most_frequent(("a", "b", "c"), np.diag([1, 2, 9]), most=2)
    >>> names, counts.tolist()
    (('c', '2 other classes'), [[9, 0], [0, 3]])
    """
    if len(names) <= most:
        return names, counts
    order = np.argsort(-counts.sum(axis=0) - counts.sum(axis=1), kind="stable")
    kept = np.sort(order[: most - 1])
    group = np.full(len(names), len(kept))
    group[kept] = np.arange(len(kept))
    merged = np.zeros((len(kept) + 1,) * 2, dtype=np.int64)
    np.add.at(merged, (group[:, None], group[None, :]), counts)
    return (*(names[k] for k in kept), f"{len(names) - len(kept):,} other classes"), merged


def confusion_table(names: tuple[str, ...], counts: IntArray) -> Markup:
    """Return the confusion of classes, each row shaded by the share of its true class."""
    merged = len(names) > MOST_CLASSES
    names, counts = most_frequent(names, counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    upright = sum(map(len, names)) > MOST_ACROSS
    head = element(
        "tr",
        element("th", "true ↓ predicted →", scope="col"),
        [element("th", element("span", class_name(name)), scope="col") for name in names],
    )
    body = [
        element("tr", element("th", class_name(name), scope="row"), _shaded(row, share))
        for name, row, share in zip(names, counts, shares, strict=True)
    ]
    said = (
        "Each row is a true class, each column a predicted class. Cells with a stronger "
        "colour hold a larger share of their row. Correct predictions are on the diagonal."
    )
    if merged:
        said += (
            " The rarest classes share a row and a column; their confusions are on the diagonal."
        )
    return element(
        "figure",
        element("figcaption", element("b", "Confusion. "), said),
        scrolling(
            element(
                "table",
                element("thead", head),
                element("tbody", body),
                class_="confusion upright" if upright else "confusion",
            ),
            label="Confusion of classes",
        ),
        class_="full",
    )


def _shaded(counts: IntArray, shares: FloatArray) -> list[Markup]:
    return [
        element("td", f"{count:,}" if count else "·", style=f"--share:{share:.2f}")
        for count, share in zip(counts.tolist(), shares.tolist(), strict=True)
    ]


def confusion_tsv(names: tuple[str, ...], counts: IntArray) -> str:
    """Return the confusion of classes as a TSV file: truth down, prediction across."""
    frame = pd.DataFrame(counts, index=pd.Index(names, name="true"), columns=list(names))
    return frame.to_csv(sep="\t")


def surest_mistakes(part: Part, *, threshold: float | None) -> Markup | None:
    """Return the rows with the largest mistakes; None if all are right or cannot be ranked."""
    shown, cut = part.outcome.shown, _cut(threshold)
    if shown.mistakes is None or shown.said is None:
        return None
    size = shown.mistakes(part.truth, part.answers, threshold=cut)
    worst = np.argsort(-size, kind="stable")[:SHOWN_MISTAKES]
    worst = worst[size[worst] > 0]
    if not len(worst):
        return None
    names = [name for name in part.rows if name in ("id", "id_a", "id_b", "position", "residue")]
    labels = part.rows.get("label", np.full(len(part), "", dtype=object))
    rows = [
        [
            *(part.rows[name][k] for name in names),
            short_number(str(labels[k]), is_value=shown.sureness is None),
            shown.said(part.answers[k], part.class_names, threshold=cut),
        ]
        for k in worst.tolist()
    ]
    header = [*map(wording.plain, names), "label", "predicted"]
    return element(
        "figure",
        element(
            "figcaption",
            element("b", "Largest mistakes. "),
            f"Check these {part.unit}s first: some of their labels may be wrong.",
            f" The number after a prediction is {shown.in_brackets}."
            if shown.in_brackets
            else None,
        ),
        table(header, rows, label="Largest mistakes", caption=False, class_="numbers ids"),
        class_="full",
    )


def short_number(label: str, *, is_value: bool = False) -> str:
    """Return a label; a value, and a number with many digits, is rounded as predictions are.

    Examples
    --------
    >>> short_number("1.8099999942779541"), short_number("C2"), short_number("0.25")
    ('1.81', 'C2', '0.25')
    >>> short_number("-0.28267", is_value=True)
    '−0.2827'
    """
    if not (NUMBER if is_value else LONG_NUMBER).fullmatch(label):
        return label
    return number(float(label))
