"""Rows of a part → its errors: the confusion of classes, and the largest mistakes."""

import numpy as np
import pandas as pd

from peftide.report import wording
from peftide.report.markup import Markup, element
from peftide.report.read import Part
from peftide.report.tables import scrolling, table
from peftide.types import FloatArray, IntArray

SHOWN_MISTAKES = 10
DEFAULT_THRESHOLD = 0.5


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


def confusion_table(names: tuple[str, ...], counts: IntArray) -> Markup:
    """Return the confusion of classes, each row shaded by the share of its true class."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    head = element(
        "tr",
        element("th", "true ↓ predicted →", scope="col"),
        [element("th", name, scope="col") for name in names],
    )
    body = [
        element("tr", element("th", name, scope="row"), _shaded(row, share))
        for name, row, share in zip(names, counts, shares, strict=True)
    ]
    return element(
        "figure",
        scrolling(
            element("table", element("thead", head), element("tbody", body), class_="confusion"),
            label="Confusion of classes",
        ),
        element(
            "figcaption",
            element("b", "Confusion. "),
            "Rows of each true class by the class predicted; the darker, the larger its share. "
            "All on the diagonal would be right.",
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
            labels[k],
            shown.said(part.answers[k], part.class_names, threshold=cut),
        ]
        for k in worst.tolist()
    ]
    header = [*map(wording.plain, names), "label", "predicted"]
    return element(
        "figure",
        table(header, rows, label="Largest mistakes", class_="numbers ids"),
        element(
            "figcaption",
            element("b", "Largest mistakes. "),
            "Worth a look: some may be errors of the labels.",
            f" In brackets: {shown.in_brackets}." if shown.in_brackets else None,
        ),
        class_="full",
    )
