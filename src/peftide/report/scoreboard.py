"""metrics.json → the headline, the scores beside their baselines, and every other score."""

from typing import Any

import numpy as np

from peftide.metrics import metric_name
from peftide.quantities import count_of
from peftide.report import wording
from peftide.report.curves import MODEL
from peftide.report.figures import Axis, between_ticks, strip, strip_axis
from peftide.report.markup import Markup, breakable, element, prose
from peftide.report.read import Run
from peftide.report.tables import Section, class_name, section, table
from peftide.report.verdict import (
    Standing,
    described,
    no_skill,
    others,
    pooling_advice,
    verdict,
)

MOST_CLASSES = 24
"""Classes in a table of scores; the others are folded in."""

MEANINGS = {
    "average_precision": "Average precision: rank all rows by their score; at each true positive, "
    "take the share of positives among the rows so far, and average these shares. 1 is perfect; "
    "guessing scores the share of positives.",
    "macro_average_precision": "Macro average precision: for each class, rank all rows by its "
    "probability; at each row of the class, take the share of this class among the rows so far, "
    "and average these shares. Then average the classes, so a rare class counts as much as a "
    "common one. 1 is perfect.",
    "spearman": "Spearman correlation: how well the order of the predictions agrees with the order "
    "of the labels. 1 is the same order, 0 is no relation, −1 the reverse.",
}
"""Headline metric → its meaning for a reader who does not know it."""

HOMOLOGUES = (
    " Without similar training proteins, as after a split by cluster, the baseline "
    "nearest homologue can only guess."
)


def headline(run: Run) -> Markup:
    """Return the headline score and the verdict on it."""
    metric, part = run.metrics["headline"], run.reported[0]
    entry = run.metrics["splits"][part].get(metric, {})
    low, high = entry.get("low"), entry.get("high")
    certain = f"95 % interval {wording.interval(low, high)}" if low is not None else "no interval"
    rows = count_of(entry.get("n", 0), run.unit)
    advice = pooling_advice(run.metrics, part, metric, pooling=run.options.get("pooling"))
    value = entry.get("value")
    shown = "undefined" if value is None else wording.score(value)
    return element(
        "div",
        element(
            "p",
            element("span", shown, class_="of" if value is None else "score"),
            element("span", f"{metric_name(metric)} on {part}", class_="of"),
            element("span", f"{certain} · {rows}", class_="quiet"),
            class_="headline",
        ),
        element("p", MEANINGS[metric], class_="quiet") if metric in MEANINGS else None,
        element(
            "p", prose(" ".join([*verdict(run.metrics, part, metric), *advice])), class_="verdict"
        ),
        class_="answer",
    )


def standings(run: Run) -> Section | None:
    """Return the model, baselines and peers of each part: scores and intervals on one scale."""
    metric = run.metrics["headline"]
    groups = {part: part_standings(run.metrics, part, metric) for part in run.reported}
    if all(group[0].value is None for group in groups.values()):
        return None
    axis = shared_axis([entry for group in groups.values() for entry in group])
    body = [
        element("tbody", _group_head(part, len(groups)), [_standing_row(one, axis) for one in rows])
        for part, rows in groups.items()
    ]
    head = element(
        "tr",
        element("th", "answered by", scope="col"),
        element("th", metric_name(metric), scope="col"),
        element("td", strip_axis(axis), class_="drawn"),
    )
    name = metric_name(metric)
    known = any(others(run.metrics, part, metric) for part in groups)
    return section(
        "Beside the baselines" if known else "Beside guessing",
        element(
            "table",
            element("caption", _standings_caption(name, list(groups))),
            element("thead", head),
            body,
            class_="standings",
        ),
        intro=f"Dots show the {name}, lines show its 95 % interval if it has one. "
        + ("A useful model is clearly better than these baselines." if known else "")
        + (HOMOLOGUES if "nearest_homologue" in run.metrics.get("baselines", {}) else "")
        + resampled(run.metrics, run.reported[0]),
    )


def _standings_caption(name: str, parts: list[str]) -> str:
    where = parts[0] if len(parts) == 1 else "each test part"
    return f"{wording.capitalised(name)} on {where}"


def resampled(metrics: dict[str, Any], part: str) -> str:
    """Return how the intervals were computed; empty without intervals."""
    made = metrics.get("intervals", {}).get(part, {})
    if not made.get("units") or not made.get("replicates"):
        return ""
    units = f"{made['units']:,} {made.get('unit', 'row')}s"
    said = f" Intervals: {units} resampled {made['replicates']:,} times."
    entries = metrics["splits"][part].values()
    if any(entry.get("conservative_low") is not None for entry in entries):
        said += (
            " Conservative intervals resample without the correction for pairs: too wide, never "
            "too narrow."
        )
    return said


def part_standings(metrics: dict[str, Any], part: str, metric: str) -> list[Standing]:
    """Return the model, the others, and guessing."""
    rows = [Standing(MODEL, metrics["splits"][part].get(metric, {}), {})]
    rows += others(metrics, part, metric)
    guessing = no_skill(metrics, part, metric)
    if guessing is not None:
        rows.append(Standing("guessing", {"value": guessing}, {}))
    return rows


def shared_axis(rows: list[Standing]) -> Axis:
    """Return one scale for all strips of a table."""
    ends = [row.entry.get(key) for row in rows for key in ("value", "low", "high")]
    given = [end for end in ends if end is not None]
    return between_ticks(np.array(given, dtype=np.float64))


def _group_head(part: str, groups: int) -> Markup | None:
    if groups == 1:
        return None
    return element("tr", element("th", part, scope="rowgroup", colspan=3, class_="group"))


def _standing_row(row: Standing, axis: Axis) -> Markup:
    low, high = row.entry.get("low"), row.entry.get("high")
    class_ = {MODEL: "model", "guessing": "reference"}.get(row.name, "other")
    drawn = strip(axis, row.value, bounds=(low, high), class_=class_)
    gap = row.difference
    bounds = gap.get("low"), gap.get("high")
    return element(
        "tr",
        element(
            "th",
            breakable(row.name),
            _reads(row.name),
            gap_text("model minus this", gap["value"], bounds) if gap.get("value") else None,
            scope="row",
        ),
        element(
            "td",
            element("span", wording.score(row.value), class_="value"),
            interval_text(low, high, class_="quiet under whole"),
            _cautious(row.entry),
        ),
        element("td", drawn, class_="drawn"),
        class_="own" if row.name == MODEL else None,
    )


def _reads(name: str) -> Markup | None:
    """Return the information that a baseline reads, on a separate line."""
    text = described(name)
    return element("span", text, class_="quiet under") if text else None


def interval_text(low: float | None, high: float | None, *, class_: str) -> Markup | None:
    """Return an interval on one line; None where there is none."""
    text = wording.interval(low, high)
    return element("span", text, class_=class_) if text else None


def gap_text(name: str, value: float, bounds: tuple[float | None, float | None]) -> Markup:
    """Return a difference on a separate line; its interval never breaks."""
    between = ", ".join(wording.signed(bound) for bound in bounds if bound is not None)
    return element(
        "span",
        f"{name}: {wording.signed(value)} ",
        element("span", f"[{between}]", class_="whole") if between else None,
        class_="quiet under",
    )


def _cautious(entry: dict[str, Any]) -> Markup | None:
    """Return the wider interval of pairs, which allows for shared proteins."""
    wide = wording.interval(entry.get("conservative_low"), entry.get("conservative_high"))
    if not wide:
        return None
    interval = element("span", wide, class_="whole")
    return element("span", "conservative ", interval, class_="quiet under")


def all_scores(run: Run) -> Section | None:
    """Return all scores of each part, beside baselines and peers."""
    shown = [part_scores(run.metrics, part, unit=run.unit) for part in run.metrics["splits"]]
    notes = [element("li", note) for note in run.metrics.get("notes", [])]
    cut = run.metrics.get("threshold")
    intro = (
        "All scores of the model, with 95 % intervals in brackets, and of the baselines and other "
    )
    intro += "tools. "
    if cut is not None:
        intro += f"The model predicts yes if the probability is at least {cut:.3f}. "
    calibrated = (run.metrics.get("calibration") or {}).get("method") or "none"
    if calibrated != "none":
        intro += f"Probabilities are calibrated on validation ({calibrated}). "
    intro += "A dash means that the score is undefined on these rows."
    return section(
        "Every score",
        element("div", shown, class_="side"),
        element("ul", notes, class_="notes") if notes else None,
        intro=intro,
    )


def part_scores(metrics: dict[str, Any], part: str, *, unit: str) -> Markup:
    """Return the table of one part under its name."""
    scores = metrics["splits"][part]
    named = {**metrics.get("baselines", {}), **metrics.get("peers", {})}
    beside = {name: parts[part] for name, parts in named.items() if part in parts}
    rows = [
        [
            metric_name(metric),
            [
                wording.score_or_count(entry["value"]),
                " ",
                interval_text(entry.get("low"), entry.get("high"), class_="quiet whole"),
            ],
            *(
                wording.score_or_count(given.get(metric, {}).get("value"))
                for given in beside.values()
            ),
        ]
        for metric, entry in scores.items()
        if "value" in entry
    ]
    header = ["score", MODEL, *map(breakable, beside)]
    n = max((entry["n"] for entry in scores.values() if "n" in entry), default=0)
    caption = [f"Scores on {part}", element("span", f" {count_of(n, unit)}", class_="quiet")]
    return table(header, rows, label=f"Scores on {part}", caption=caption, class_="numbers")


def class_scores(run: Run, part: str) -> Markup | None:
    """Return the scores of each class of a part."""
    known = run.metrics["splits"][part].get("per_class", {})
    per_class = {name: of for name, of in known.items() if of["average_precision"]["n"]}
    if not per_class:
        return None
    metrics = ["average_precision", "auroc", "precision", "recall", "f1"]
    rows = [
        [
            class_name(name),
            f"{scores['average_precision']['n']:,}",
            *(wording.score(scores.get(metric, {}).get("value")) for metric in metrics),
        ]
        for name, scores in per_class.items()
    ]
    header = ["class", f"{run.unit}s", *(metric_name(metric) for metric in metrics)]
    absent = len(known) - len(per_class)
    omitted = f" without {count_of(absent, 'class')} that no {run.unit} has" if absent else ""
    if len(rows) <= MOST_CLASSES:
        label = f"Scores of each class on {part}"
        caption = [label, element("span", omitted, class_="quiet")]
        return table(header, rows, label=label, caption=caption, class_="numbers")
    counts = [scores["average_precision"]["n"] for scores in per_class.values()]
    ordered = [rows[k] for k in sorted(range(len(rows)), key=lambda k: -counts[k])]
    label = f"Scores of the {MOST_CLASSES} classes with most {run.unit}s on {part}"
    few = table(header, ordered[:MOST_CLASSES], label=label, class_="numbers")
    label = f"Scores of the other {len(rows) - MOST_CLASSES:,} classes on {part}"
    rest = table(header, ordered[MOST_CLASSES:], label=label, caption=False, class_="numbers")
    return Markup(few + element("details", element("summary", label), rest))
