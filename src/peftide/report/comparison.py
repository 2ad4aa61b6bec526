"""comparison.json → report.html: the verdict, the leaderboard, score against cost."""

import math
import shlex
from pathlib import Path
from typing import Any

import numpy as np

from peftide.config import read_yaml
from peftide.files import write_text
from peftide.metrics import metric_name
from peftide.outputs import read_record
from peftide.progress import working
from peftide.quantities import count_of, duration
from peftide.report import wording
from peftide.report.axes import LogAxis
from peftide.report.figures import (
    Axis,
    Frame,
    apart,
    between_ticks,
    chart,
    dots,
    line,
    note,
    spanning,
    strip,
    strip_axis,
)
from peftide.report.forms import RunForm
from peftide.report.markup import Markup, breakable, element
from peftide.report.page import document, listed
from peftide.report.scoreboard import gap_text, interval_text
from peftide.report.summary_forms import BASELINE, TRAINED, ComparisonForm
from peftide.report.tables import Section, section, table
from peftide.report.verdict import described
from peftide.report.writing import (
    given_title,
    page_footer,
    page_header,
    read_summary,
    try_to_write,
)
from peftide.tasks import TASKS, VARIANT_TASKS

RECORD, REPORT, RUN = "comparison.json", "report.html", "run.json"
LEAST = 0.01
"""Half of the scores that a picture shows at least, so that small differences look small."""
MOST_NAMES = 12
"""A picture with more trainings than this shows no names."""
NAME_HEIGHT = 13.0
"""Distance of two names in a picture."""


def write_comparison(path: Path, *, title: str | None = None) -> Path:
    """Write `report.html` into the folder of a comparison; return its path.

    Raises
    ------
    InputError
        If the folder holds no comparison.
    StorageError
        If the page cannot be written.
    """
    with working("writing the report"):
        board = read_summary(path, RECORD, ComparisonForm, command="compare")
        record = read_record(path / RUN, RunForm)
        name = given_title(path, title)
        write_text(path / REPORT, page(path, board, record, title=name), tidy=True)
    return path / REPORT


def write_comparison_if_possible(path: Path) -> None:
    """Write the report of a comparison; say why there is none if it fails."""
    try_to_write(lambda: write_comparison(path))


def page(path: Path, board: dict[str, Any], record: dict[str, Any], *, title: str = "") -> str:
    """Return the whole page."""
    models = len({row["name"] for row in board["rows"] if "seeds" in row})
    title = title or f"Comparison of {count_of(models, 'model')}"
    facts = [("folder", str(path)), ("scored on", board["part"])]
    facts.append(("date", wording.moment(record.get("date", ""))))
    header = page_header("compare", title, facts)
    said = [element("p", sentence, class_="verdict") for sentence in board["verdict"]]
    answer = element("div", *said, class_="answer")
    found = (
        leaderboard(board),
        costs(board),
        against_cost(board),
        left_out(board),
        next_step(path, board),
    )
    footer = page_footer(record, path)
    return document(title, header=header, main=[answer, *listed(found)], footer=footer)


def leaderboard(board: dict[str, Any]) -> Section | None:
    """Return the leaderboard: scores and intervals of everyone on one scale."""
    rows = [row for row in board["rows"] if row["score"] is not None]
    ends = [row.get(key) for row in rows for key in ("score", "low", "high")]
    axis = between_ticks(np.array([end for end in ends if end is not None]))
    metric = metric_name(board["metric"])
    head = element(
        "tr",
        element("th", "answered by", scope="col"),
        element("th", metric, scope="col"),
        element("td", strip_axis(axis), class_="drawn"),
    )
    body = [_row(row, axis, chosen=row["name"] == board["chosen"]) for row in rows]
    return section(
        "Leaderboard",
        element(
            "table",
            element("caption", f"{wording.capitalised(metric)} on {board['part']}"),
            element("thead", head),
            element("tbody", body),
            class_="standings",
        ),
        intro=f"Dots are the {metric} on {board['part']}, lines its 95 % interval, the best first. "
        "Bold: the model that validation chose. It has the best validation score, or a score that "
        "is not clearly lower at less than half of the time on the same backbone. A difference "
        "whose interval spans 0 is no evidence.",
    )


def _row(row: dict[str, Any], axis: Axis, *, chosen: bool) -> Markup:
    low, high = bounds = (row.get("low"), row.get("high"))
    drawn = strip(axis, row["score"], bounds=bounds, class_="model" if chosen else "other")
    return element(
        "tr",
        element(
            "th",
            breakable(row["method"]),
            element("span", _under(row), class_="quiet under"),
            _minus_chosen(row),
            scope="row",
        ),
        element(
            "td",
            element("span", wording.score(row["score"]), class_="value"),
            interval_text(low, high, class_="quiet under whole"),
        ),
        element("td", drawn, class_="drawn"),
        class_="own" if chosen else None,
    )


def _under(row: dict[str, Any]) -> str:
    """Return the line under a name: the backbone of a model, or what a baseline reads."""
    if row["status"] != BASELINE:
        return _place(row)
    return f"baseline: {described(row['method'])}".removesuffix(": ")


def _minus_chosen(row: dict[str, Any]) -> Markup | None:
    """Return the difference to the chosen model, with its interval if there is one."""
    if row.get("difference") is None:
        return None
    bounds = row.get("difference_low"), row.get("difference_high")
    return gap_text("minus the chosen", row["difference"], bounds)


def _place(row: dict[str, Any]) -> str:
    """Return the backbone of a model, and its layer unless it is the last."""
    layer = row.get("layer", "last")
    return f"on {row['backbone']}" + ("" if layer == "last" else f", layer {layer}")


def costs(board: dict[str, Any]) -> Section | None:
    """Return what each training costs."""
    rows = [
        [
            f"{row['method']} {_place(row)}",
            wording.score(row["validation"]) if row["validation"] is not None else "",
            row["seeds"],
            "" if row["spread"] is None else wording.score(row["spread"]),
            f"{row['trained_parameters']:,}",
            f"{row['memory_mb']:,} MB",
            duration(row["seconds"]),
            f"{row['size_mb']:g} MB",
        ]
        for row in board["rows"]
        if row["status"] == TRAINED
    ]
    header = ["", "validation", "seeds", "spread", "trained parameters", "memory", "time", "size"]
    return section(
        "Costs",
        table(header, rows, label="Costs of each training", class_="numbers"),
        intro="Validation is the score that decided; it is computed after calibration, so it can "
        "differ from the score that the training showed. Spread is the standard deviation between "
        "seeds on the scored part. Memory is the peak less the memory in use when the training "
        "began. Time is that of training and validation, the mean over the trainings of a row, "
        "without what trainings share. Size is the saved model.",
    )


def against_cost(board: dict[str, Any]) -> Section | None:
    """Return the picture of score against time."""
    rows = [row for row in board["rows"] if row.get("seconds") and row["score"] is not None]
    if len(rows) < 2:
        return None
    seconds = np.array([row["seconds"] for row in rows])
    scores = np.array([row["score"] for row in rows])
    ends = [row[key] for row in rows for key in ("low", "high") if row.get(key) is not None]
    around = [scores.mean() - LEAST, scores.mean() + LEAST, *ends]
    metric = metric_name(board["metric"])
    frame = Frame(
        LogAxis("seconds of training", seconds.min() / 1.6, seconds.max() * 1.6),
        spanning(metric, np.append(scores, around)),
    )
    marks = [mark for row in rows for mark in _point(frame, row, chosen=board["chosen"])]
    names = []
    if len(rows) <= MOST_NAMES:
        middle = math.sqrt(float(seconds.min() * seconds.max()))
        for side, dx in (("start", 7), ("end", -7)):
            some = [row for row in rows if (row["seconds"] <= middle) == (side == "start")]
            heights = frame.down([row["score"] for row in some]).tolist()
            for row, old, new in zip(some, heights, apart(heights, NAME_HEIGHT), strict=True):
                place = (row["seconds"], row["score"])
                dy = 4 + new - old
                names.append(note(frame, place, row["method"], text_anchor=side, dx=dx, dy=dy))
    said = f"{metric} against the time of a training; the numbers are in the leaderboard"
    return section(
        "Score and cost",
        element(
            "div",
            element("figure", chart(frame, *marks, *names, label=said)),
            class_="figures",
        ),
        intro="Higher is better, further left is cheaper. Lines are the 95 % intervals. Time is "
        "that of training and validation, without what trainings share.",
    )


def _point(frame: Frame, row: dict[str, Any], *, chosen: str) -> list[Markup]:
    """Return the dot of a model, and its interval if there is one."""
    class_ = "model" if row["name"] == chosen else "other"
    place, bounds = row["seconds"], [row[k] for k in ("low", "high") if row.get(k) is not None]
    whisker = [line(frame, [place] * 2, bounds, class_=class_)] if len(bounds) == 2 else []
    return [*whisker, *dots(frame, [place], [row["score"]], class_=class_, radius=4.0)]


def left_out(board: dict[str, Any]) -> Section | None:
    """Return the contenders without a result, and why."""
    notes = [element("li", text) for text in board.get("notes", [])]
    return section("Left out", element("ul", notes, class_="notes") if notes else None)


def next_step(path: Path, board: dict[str, Any]) -> Section | None:
    """Return where the models are."""
    options = path / "config.yaml"
    task = read_yaml(options).get("task") if options.is_file() else None
    pairs = task in TASKS and TASKS[task].level == "pair"
    table = wording.new_input(pairs=pairs, variants=task in VARIANT_TASKS)
    best = shlex.quote(str(path / "best"))
    return section(
        "Next",
        element("pre", f"peftide predict {best} {table} --out answers.tsv"),
        intro=f"`best` is the run folder of {board['chosen']}; `cells` has every other training, "
        "each with its own report.",
    )
