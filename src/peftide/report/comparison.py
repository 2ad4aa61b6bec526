"""comparison.json → report.html: the verdict, the leaderboard, score against cost."""

import logging
import math
from pathlib import Path
from typing import Any

import numpy as np

from peftide.errors import InputError
from peftide.files import write_text
from peftide.outputs import read_record
from peftide.progress import working
from peftide.quantities import duration
from peftide.report import wording
from peftide.report.axes import LogAxis
from peftide.report.figures import Axis, Frame, chart, dots, note, spanning, strip, strip_axis
from peftide.report.forms import RunForm
from peftide.report.markup import Markup, element
from peftide.report.page import document, listed
from peftide.report.tables import Section, scrolling, section
from peftide.saved import Versioned

logger = logging.getLogger(__name__)

RECORD, REPORT, RUN = "comparison.json", "report.html", "run.json"
MOST_NAMES = 12
"""A picture with more trainings than this shows no names."""


def write_comparison(path: Path) -> Path:
    """Write `report.html` into the folder of a comparison; return its path.

    Raises
    ------
    InputError
        If the folder holds no comparison.
    StorageError
        If the page cannot be written.
    """
    with working("writing the report"):
        board = read_record(path / RECORD, Versioned)
        if not board:
            raise InputError(
                f"{path} has no {RECORD}", expected="the folder of a finished `peftide compare`"
            )
        record = read_record(path / RUN, RunForm)
        write_text(path / REPORT, page(path, board, record))
    return path / REPORT


def write_comparison_if_possible(path: Path) -> None:
    """Write the report of a comparison; say why there is none if it fails."""
    try:
        write_comparison(path)
    except Exception as error:  # noqa: BLE001 — the leaderboard is written: no reason to fail
        logger.warning("note: no report was written (%s: %s)", type(error).__name__, error)
        logger.debug("why there is no report:", exc_info=True)


def page(path: Path, board: dict[str, Any], record: dict[str, Any]) -> str:
    """Return the whole page."""
    title = f"Comparison of {len({row['name'] for row in board['rows'] if 'seeds' in row})} models"
    facts = [("run", str(path)), ("scored on", board["part"]), ("date", record.get("date", ""))]
    header = element(
        "header",
        element("p", "peftide compare", class_="kicker"),
        element("h1", title),
        element(
            "dl", [[element("dt", a), element("dd", b)] for a, b in facts if b], class_="about"
        ),
    )
    answer = element(
        "div", element("p", " ".join(board["verdict"]), class_="verdict"), class_="answer"
    )
    found = (leaderboard(board), against_cost(board), left_out(board), next_step(path, board))
    version = record.get("versions", {}).get("peftide", "")
    footer = element("footer", element("p", f"Written by peftide {version} from {path}"))
    return document(title, header=header, main=[answer, *listed(found)], footer=footer)


def leaderboard(board: dict[str, Any]) -> Section | None:
    """Return the leaderboard with scores and intervals on one scale."""
    rows = [row for row in board["rows"] if row["score"] is not None]
    ends = [row.get(key) for row in rows for key in ("score", "low", "high")]
    axis = spanning("", np.array([end for end in ends if end is not None]), margin=0.1)
    metric = wording.metric_name(board["metric"])
    titles = ("method", "backbone", metric, "", "minus the chosen", "validation", "seeds")
    titles += ("trained parameters", "memory", "time", "size")
    head = [
        element("th", title, scope="col") if title else element("td", strip_axis(axis))
        for title in titles
    ]
    body = [_row(row, axis, chosen=row["name"] == board["chosen"]) for row in rows]
    return section(
        "Leaderboard",
        scrolling(
            element("table", element("thead", element("tr", head)), element("tbody", body)),
            label="Leaderboard",
        ),
        intro=f"The {metric} on {board['part']}, the best first, with its 95 % interval. The "
        "marked row was chosen on validation. A difference whose interval spans 0 is no evidence. "
        "Memory is the peak less the memory in use when the training began; time is the mean of "
        "a training.",
    )


def _row(row: dict[str, Any], axis: Axis, *, chosen: bool) -> Markup:
    bounds = (row.get("low"), row.get("high"))
    drawn = strip(axis, row["score"], bounds=bounds, class_="model" if chosen else "other")
    layer = row.get("layer", "last")
    cells = [
        row["backbone"] if layer == "last" else f"{row['backbone']}, layer {layer}",
        f"{wording.score(row['score'])} {wording.interval(*bounds) or ''}".strip(),
        drawn,
        _gap(row),
        wording.score(row.get("validation")) if row.get("validation") is not None else "",
        row.get("seeds", ""),
        f"{row['trained_parameters']:,}" if "trained_parameters" in row else "",
        f"{row['memory_mb']:,} MB" if "memory_mb" in row else "",
        duration(row["seconds"]) if "seconds" in row else "",
        f"{row['size_mb']:g} MB" if "size_mb" in row else "",
    ]
    return element(
        "tr",
        element("th", row["method"], scope="row"),
        [element("td", cell) for cell in cells],
        class_="own" if chosen else None,
    )


def _gap(row: dict[str, Any]) -> str:
    if row.get("difference") is None:
        return ""
    text = wording.signed(row["difference"])
    low, high = row.get("difference_low"), row.get("difference_high")
    if low is None or high is None:
        return text
    return f"{text} [{wording.signed(low)}, {wording.signed(high)}]"


def against_cost(board: dict[str, Any]) -> Section | None:
    """Return the picture of score against time."""
    rows = [row for row in board["rows"] if row.get("seconds") and row["score"] is not None]
    if len(rows) < 2:
        return None
    seconds = np.array([row["seconds"] for row in rows])
    scores = np.array([row["score"] for row in rows])
    metric = wording.metric_name(board["metric"])
    frame = Frame(
        LogAxis("seconds per training", seconds.min() / 1.6, seconds.max() * 1.6),
        spanning(metric, scores, margin=0.2),
    )
    marks = [
        dots(
            frame,
            [row["seconds"]],
            [row["score"]],
            class_="model" if row["name"] == board["chosen"] else "other",
            radius=4.0,
        )
        for row in rows
    ]
    names = []
    if len(rows) <= MOST_NAMES:
        middle = math.sqrt(float(seconds.min() * seconds.max()))
        for row in rows:
            side = "start" if row["seconds"] <= middle else "end"
            names.append(
                note(
                    frame,
                    (row["seconds"], row["score"]),
                    row["method"],
                    text_anchor=side,
                    dx=7 if side == "start" else -7,
                    dy=4,
                )
            )
    said = f"{metric} against the time of a training; the numbers are in the leaderboard"
    return section(
        "Score and cost",
        element(
            "div",
            element(
                "figure", chart(frame, *(mark for two in marks for mark in two), *names, label=said)
            ),
            class_="figures",
        ),
        intro="Higher is better, further left is cheaper. The time to fill a shared cache counts "
        "for the training that fills it.",
    )


def left_out(board: dict[str, Any]) -> Section | None:
    """Return the contenders without a result, and why."""
    notes = [element("li", text) for text in board.get("notes", [])]
    return section("Left out", element("ul", notes, class_="notes") if notes else None)


def next_step(path: Path, board: dict[str, Any]) -> Section | None:
    """Return where the models are."""
    return section(
        "Next",
        element("p", element("code", f"peftide predict {path / 'best'} --input TABLE")),
        intro=f"`best` is the run folder of {board['chosen']}; `cells` has every other training, "
        "each with its own report.",
    )
