"""Rows of a part → where it went wrong: the confusion of classes, and the surest mistakes."""

import numpy as np
import pandas as pd

from peftide.report import wording
from peftide.report.markup import Markup, element
from peftide.report.read import Part
from peftide.report.tables import scrolling, table
from peftide.types import FloatArray, IntArray

CONFUSED = {"binary", "categorical"}  # kinds with one true class per row
UNTRAINED = "no class of training"
SHOWN_MISTAKES = 10
BRACKETS = {
    "binary": " In brackets: the probability of yes.",
    "categorical": " In brackets: the probability of the predicted class.",
    "continuous": None,
}


def confusion(part: Part, *, threshold: float | None) -> tuple[tuple[str, ...], IntArray]:
    """Return class names, and how many rows of each true class are predicted as each.

    A row that carries several classes stands under the predicted one if it carries that, else
    under its first. Classes that occur on neither side are left out; (K, K), truth first.
    """
    names, true, predicted = _true_and_predicted(part, threshold)
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, (true, predicted), 1)
    occurring = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    return tuple(names[k] for k in occurring), counts[np.ix_(occurring, occurring)]


def _true_and_predicted(
    part: Part, threshold: float | None
) -> tuple[tuple[str, ...], IntArray, IntArray]:
    if part.kind == "binary":
        cut = 0.5 if threshold is None else threshold
        true, predicted = part.truth.astype(np.int64), (part.answers >= cut).astype(np.int64)
        return ("no", "yes"), true, predicted
    predicted = part.answers.argmax(axis=1)
    right = part.truth[np.arange(len(part)), predicted] == 1
    true = np.where(right, predicted, part.truth.argmax(axis=1))
    outside = ~part.truth.any(axis=1)
    return (*part.class_names, UNTRAINED), np.where(outside, len(part.class_names), true), predicted


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
    """Return the rows that the model is most wrong about; None if there is no wrong one."""
    if part.kind == "multilabel":
        return None
    size = error_sizes(part, threshold=threshold)
    worst = np.argsort(-size, kind="stable")[:SHOWN_MISTAKES]
    worst = worst[size[worst] > 0]
    if not len(worst):
        return None
    names = [name for name in part.rows if name in ("id", "id_a", "id_b", "position", "residue")]
    labels = part.rows.get("label", np.full(len(part), "", dtype=object))
    rows = [
        [*(part.rows[name][k] for name in names), labels[k], answer(part, k, threshold)]
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
            BRACKETS[part.kind],
        ),
        class_="full",
    )


def error_sizes(part: Part, *, threshold: float | None) -> FloatArray:
    """Return how wrong each row is: the error of a value, how sure a wrong class was; 0 if right.

    Shape (R,).
    """
    if part.kind == "continuous":
        return np.abs(part.truth - part.answers)
    _, true, predicted = _true_and_predicted(part, threshold)
    sure = np.abs(part.truth - part.answers)
    if part.kind == "categorical":
        sure = part.answers.max(axis=1)
    return np.where(true == predicted, 0.0, sure)


def answer(part: Part, row: int, threshold: float | None) -> str:
    """Return what was predicted for a row, in words."""
    if part.kind == "continuous":
        return wording.number(float(part.answers[row]))
    if part.kind == "binary":
        called = part.answers[row] >= (0.5 if threshold is None else threshold)
        return f"{'yes' if called else 'no'} ({part.answers[row]:.3f})"
    best = int(part.answers[row].argmax())
    return f"{part.class_names[best]} ({part.answers[row, best]:.3f})"
