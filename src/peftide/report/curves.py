"""Labels and answers of a part → the charts that show how good they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from peftide.metrics import curve_points, metric_name, thinned
from peftide.quantities import count_of
from peftide.report import wording
from peftide.report.figures import (
    MOST_POINTS,
    Axis,
    Frame,
    bars,
    chart,
    dots,
    line,
    rule,
    spanning,
)
from peftide.report.markup import Markup, element
from peftide.report.read import Part
from peftide.types import FloatArray, IntArray

BINS = 10
HISTOGRAM_BINS = 20
MOST_OTHERS = 6
"""Curves beside the model's in one picture; the style sheet has dashes for each."""
MODEL = "this model"


def figure(drawing: Markup, *caption: object) -> Markup:
    """Return a drawing with its caption."""
    return element("figure", drawing, element("figcaption", *caption))


@dataclass(frozen=True)
class Beside:
    """Data that the figures of a part show in addition to its rows.

    Attributes
    ----------
    threshold
        Lowest probability that is predicted as positive, or None.
    scores
        The scores of the part in `metrics.json`.
    curves
        Baseline or tool → curve → its points, the best first.
    """

    threshold: float | None = None
    scores: Mapping[str, Any] = field(default_factory=dict)
    curves: Mapping[str, Mapping[str, tuple[FloatArray, FloatArray]]] = field(default_factory=dict)


def figures_of(part: Part, beside: Beside) -> list[Markup]:
    """Return the figures that fit a part."""
    drawn = [FIGURES[name](part, beside) for name in part.outcome.shown.figures]
    return [one for one in drawn if one is not None]


def calibration_errors(scores: Mapping[str, Any]) -> str:
    """Return the scores that say how far probabilities are from shares, in words.

    Examples
    --------
    >>> calibration_errors({"ece": {"value": 0.04}, "auroc": {"value": 0.6}})
    ' Expected calibration error (ECE) 0.040.'
    """
    found = [
        f"{metric_name(name)} {wording.score(scores[name]['value'])}"
        for name in ("ece", "brier")
        if scores.get(name, {}).get("value") is not None
    ]
    text = ", ".join(found)
    return f" {text[0].upper()}{text[1:]}." if text else ""


def has_both(part: Part) -> bool:
    """Return whether a part has positive and negative rows."""
    return bool(0 < part.truth.sum() < len(part))


def precision_recall(part: Part, beside: Beside) -> Markup | None:
    """Return precision over recall, with the share of positives; None for one class only."""
    if not has_both(part):
        return None
    recall, precision = curve_points("precision_recall", part.truth, part.answers, most=MOST_POINTS)
    share = float(part.truth.mean())
    frame = Frame(Axis("recall", 0, 1), Axis("precision", 0, 1))
    marks = [
        rule(frame, (0, share), (1, share)),
        *other_curves(frame, beside, "precision_recall"),
        line(frame, recall, precision, class_="model"),
    ]
    said = "The higher the curve, the fewer false alarms among the rows predicted as positive."
    if beside.threshold is not None:
        called = part.answers >= beside.threshold
        hits = float(part.truth[called].sum())
        if called.any():
            point = hits / float(part.truth.sum()), hits / float(called.sum())
            marks += dots(frame, [point[0]], [point[1]], class_="model", radius=4)
            said += f" Dot: the threshold of the predictions, {wording.score(beside.threshold)}."
    label = f"Precision against recall of {part.name}, share of positives {share:.2f}"
    drawing = chart(frame, *marks, label=label + named(beside, "precision_recall"))
    title = element("b", "Precision and recall. ")
    return figure(drawing, title, said, legend(beside, "precision_recall", guessing=share))


def roc(part: Part, beside: Beside) -> Markup | None:
    """Return recall over the false positive rate; None for one class only."""
    if not has_both(part):
        return None
    false_share, true_share = curve_points("roc", part.truth, part.answers, most=MOST_POINTS)
    frame = Frame(Axis("false positive rate", 0, 1), Axis("recall", 0, 1))
    drawing = chart(
        frame,
        rule(frame, (0, 0), (1, 1)),
        *other_curves(frame, beside, "roc"),
        line(frame, false_share, true_share, class_="model"),
        label=f"ROC curve of {part.name}{named(beside, 'roc')}",
    )
    said = (
        "The area under the curve says how often a positive row scores higher than a negative row."
    )
    return figure(drawing, element("b", "ROC. "), said, legend(beside, "roc"))


def other_lines(beside: Beside, curve: str) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return names and points of the lines beside the model's, the best first.

    Baselines and tools with the same curve share one line, which has the names of all.
    """
    lines: dict[bytes, tuple[list[str], tuple[FloatArray, FloatArray]]] = {}
    for name, known in beside.curves.items():
        if curve in known:
            key = np.stack(known[curve]).tobytes()
            lines.setdefault(key, ([], known[curve]))[0].append(name)
    return {", ".join(names): points for names, points in list(lines.values())[:MOST_OTHERS]}


def other_curves(frame: Frame, beside: Beside, curve: str) -> list[Markup]:
    """Return the curves of baselines and other tools, each with different dashes."""
    drawn = [
        line(frame, *points, class_=f"other dashes-{k}")
        for k, points in enumerate(other_lines(beside, curve).values())
    ]
    return drawn[::-1]  # the best on top


def named(beside: Beside, curve: str) -> str:
    """Return the end of a label that names the curves beside the model's."""
    names = list(other_lines(beside, curve))
    return f"; this model and {', '.join(names)}" if names else ""


def legend(beside: Beside, curve: str, *, guessing: float | None = None) -> Markup:
    """Return the name of each line; `guessing` is the score of a random order, if it is not 0.5."""
    names = list(other_lines(beside, curve))
    entries = [(MODEL, "model"), *((n, f"other dashes-{k}") for k, n in enumerate(names))]
    entries.append(("guessing" + ("" if guessing is None else f", {guessing:.2f}"), "reference"))
    items = [
        element(
            "li",
            element(
                "svg",
                element("path", d="M0 5H30", class_=f"line {class_}"),
                viewBox="0 0 30 10",
                class_="key",
                aria_hidden="true",
            ),
            name,
        )
        for name, class_ in entries
    ]
    return element("ul", items, class_="legend")


def calibration(part: Part, beside: Beside) -> Markup:
    """Return the share of right answers over their probability."""
    shown = part.outcome.shown
    assert shown.sureness is not None
    means, shares, rows = reliability(*shown.sureness(part.truth, part.answers))
    frame = Frame(Axis("predicted probability", 0, 1), Axis("share that is right", 0, 1))
    drawing = chart(
        frame,
        rule(frame, (0, 0), (1, 1)),
        line(frame, means, shares, class_="model thin"),
        *dots(frame, means, shares, class_="model", radius=3.5),
        label="Share of rows that are right against the probability the model gave them",
    )
    unit = part.unit if rows.sum() == len(part) else "answer"  # with labels, one answer per class
    mean = round(float(np.mean(rows)))
    each = f"about {count_of(mean, unit)}" if len(rows) > 1 else f"all {unit}s"
    said = (
        f"On the dashed line, {shown.sure_of} is right as often as its probability says. Below the "
        f"line, the model is too confident. Each dot stands for {each}."
        f"{calibration_errors(beside.scores)}"
    )
    return figure(drawing, element("b", "Calibration. "), said)


def reliability(
    right: FloatArray, probabilities: FloatArray, *, most: int = BINS
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return mean probability, share that is right, and rows of bins of similar size.

    Rows of equal probability stay in one bin, so there may be fewer bins.

    Examples
    --------
    >>> right, probabilities = np.array([0.0, 1, 1, 1]), np.array([0.25, 0.25, 0.75, 1.0])
    >>> means, shares, rows = reliability(right, probabilities, most=2)
    >>> means.tolist(), shares.tolist(), rows.tolist()
    ([0.25, 0.875], [0.5, 1.0], [2, 2])
    """
    edges = np.unique(np.quantile(probabilities, np.linspace(0, 1, most + 1)[1:-1]))
    bins = np.searchsorted(edges, probabilities, side="left")
    rows = np.bincount(bins)
    filled = rows > 0
    means = np.bincount(bins, probabilities)[filled] / rows[filled]
    shares = np.bincount(bins, right)[filled] / rows[filled]
    return means, shares, rows[filled]


def histogram(part: Part, beside: Beside) -> Markup:
    """Return how the probabilities of positive and negative rows are spread."""
    edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
    shares = [
        np.histogram(chosen, edges)[0] / max(len(chosen), 1)
        for chosen in (part.answers[part.truth == 1], part.answers[part.truth == 0])
    ]
    top = float(np.max(shares)) * 1.1
    frame = Frame(Axis("predicted probability", 0, 1), Axis("share of rows", 0, top))
    marks = [
        *bars(frame, edges, shares[1], class_="other"),
        *bars(frame, edges, shares[0], class_="model outlined"),
    ]
    said = "positive rows (outlined) and negative rows (filled). The less they overlap, the better."
    if (threshold := beside.threshold) is not None:
        marks.append(rule(frame, (threshold, 0), (threshold, top)))
        said += " Dashed: the threshold."
    label = f"Predicted probabilities of positive and negative rows of {part.name}"
    return figure(chart(frame, *marks, label=label), element("b", "Probabilities "), "of ", said)


def predicted_and_true(part: Part, _beside: Beside) -> Markup:
    """Return predictions against measured values."""
    keep = thinned(len(part), MOST_POINTS)
    ordered = np.argsort(part.truth, kind="stable")[keep]  # evenly over the measured values
    both = spanning("", np.concatenate([part.truth, part.answers]))
    frame = Frame(
        Axis("measured value", both.low, both.high), Axis("predicted value", both.low, both.high)
    )
    drawing = chart(
        frame,
        rule(frame, (both.low, both.low), (both.high, both.high)),
        *dots(frame, part.truth[ordered], part.answers[ordered], class_="model faint", radius=2.5),
        label=f"Predicted against measured values of {part.name}",
    )
    shown = (
        ""
        if len(part) <= MOST_POINTS
        else f" {MOST_POINTS} of {len(part):,} {part.unit}s are drawn."
    )
    said = "The closer the dots are to the dashed line, the better. A flat cloud says nothing."
    return figure(drawing, element("b", "Predicted and measured. "), said, shown)


FIGURES: dict[str, Callable[[Part, Beside], Markup | None]] = {
    "precision_recall": precision_recall,
    "roc": roc,
    "calibration": calibration,
    "histogram": histogram,
    "predicted_and_true": predicted_and_true,
}
"""Name of a figure, in `Shown.figures` → (part, data beside it) → the figure."""
