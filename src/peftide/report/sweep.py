"""sweep.json → report.html of a sweep: scores by value of each option, heat map, all trials."""

import shlex
from pathlib import Path
from typing import Any

import numpy as np

from peftide.errors import InputError
from peftide.files import write_text
from peftide.metrics import metric_name
from peftide.outputs import read_record
from peftide.progress import working
from peftide.quantities import count_of
from peftide.report import wording
from peftide.report.axes import LogAxis, Places
from peftide.report.figures import Axis, Frame, chart, dots, spanning
from peftide.report.forms import RunForm
from peftide.report.markup import Markup, element
from peftide.report.page import document, listed
from peftide.report.summary_forms import SweepForm
from peftide.report.tables import Section, facts, section, table
from peftide.report.writing import (
    given_title,
    page_footer,
    page_header,
    read_summary,
    try_to_write,
)

RECORD, REPORT, RUN = "sweep.json", "report.html", "run.json"
LONG_RANGE = 20.0
"""A range whose ends differ by this factor is drawn on a logarithmic axis."""


def write_sweep(path: Path, *, title: str | None = None) -> Path:
    """Write `report.html` into the folder of a sweep; return its path.

    Raises
    ------
    InputError
        If the folder holds no sweep.
    StorageError
        If the page cannot be written.
    """
    with working("writing the report"):
        found = read_summary(path, RECORD, SweepForm, command="sweep")
        _check_options(path / RECORD, found)
        record, name = read_record(path / RUN, RunForm), given_title(path, title)
        write_text(path / REPORT, page(path, found, record, title=name), tidy=True)
    return path / REPORT


def _check_options(path: Path, found: dict[str, Any]) -> None:
    """Raise if a trial has no value for an option, or an option is unknown.

    Raises
    ------
    InputError
        Names the first.
    """
    names = set(found["space"])
    rows = [("importance", set(found["importance"]), names)]
    rows += [(f"trials.{k}", names, set(one)) for k, one in enumerate(found["trials"])]
    for place, wanted, known in rows:
        if missing := sorted(wanted - known):
            raise InputError(f"{place} and space differ: {missing[0]}", where=path)


def write_sweep_if_possible(path: Path) -> None:
    """Write the report of a sweep; say why there is none if it fails."""
    try_to_write(lambda: write_sweep(path))


def page(path: Path, found: dict[str, Any], record: dict[str, Any], *, title: str = "") -> str:
    """Return the whole page."""
    done = scored(found)
    best, metric = found["best"], metric_name(found["metric"])
    about = [("folder", str(path)), ("trials", f"{len(found['trials']):,}")]
    about.append(("date", wording.moment(record["date"])))
    title = title or f"Sweep of {count_of(len(found['space']), 'option')}"
    header = page_header("sweep", title, about)
    values = ", ".join(f"{name} {short(value)}" for name, value in best["values"].items())
    answer = element(
        "div",
        element(
            "p",
            element("span", wording.score(best["score"]), class_="score"),
            element("span", f"{metric} on validation, trial {best['trial']}", class_="of"),
            class_="headline",
        ),
        element(
            "p",
            f"With {values}. The best of many trials is too good on validation; train "
            "with these options and read the score on test.",
            class_="verdict",
        ),
        class_="answer",
    )
    sections = (importance(found), by_option(found, done), heat_map(found, done), trials(found))
    sections += (next_step(path),)
    footer = page_footer(record, path)
    return document(title, header=header, main=[answer, *listed(sections)], footer=footer)


def next_step(path: Path) -> Section | None:
    """Return the training with the best options."""
    best = shlex.quote(str(path / "best.yaml"))
    return section(
        "Next",
        element("pre", f"peftide train --config {best} --out best_run"),
        intro="This training scores the best options on the test part, which no trial has seen.",
    )


def short(value: Any) -> str:
    """Return a value of an option with at most three digits.

    Examples
    --------
    >>> short(0.00018866262), short("key,value"), short(64)
    ('0.000189', 'key,value', '64')
    """
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def scored(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the trials that were finished."""
    return [one for one in found["trials"] if one["state"] == "complete"]


def importance(found: dict[str, Any]) -> Section | None:
    """Return the share of the variance that each option explains."""
    rows = [(name, f"{share:.0%}") for name, share in found["importance"].items()]
    return section(
        "Importance",
        facts(rows, label="Importance of each option"),
        intro="The share of the variance of the scores that each option explains (fANOVA). With "
        "few trials it is rough.",
    )


def by_option(found: dict[str, Any], done: list[dict[str, Any]]) -> Section | None:
    """Return one picture per option: the score of each trial by its value."""
    metric = metric_name(found["metric"])
    pictures = [
        element("figure", option_chart(name, values, done, metric=metric))
        for name, values in found["space"].items()
    ]
    return section(
        "Scores by option",
        element("div", pictures, class_="figures") if len(done) > 1 else None,
        intro="One dot per finished trial; dots that overlap are darker. An option matters if its "
        "values are farther apart than the dots of one value. Two or three trials show nothing.",
    )


def option_chart(name: str, values: Any, done: list[dict[str, Any]], *, metric: str) -> Markup:
    """Return the scores of all trials by their value of one option."""
    scores = np.array([one["score"] for one in done], dtype=np.float64)
    vertical = spanning(f"{metric} on validation", scores, margin=0.1)
    label = f"{metric} by {name}, one dot per trial"
    if isinstance(values, dict):
        low, high = float(values["low"]), float(values["high"])
        is_long = low > 0 and high / low >= LONG_RANGE
        axis = LogAxis(name, low, high) if is_long else Axis(name, low, high)
        frame = Frame(axis, vertical)
        x = np.array([one[name] for one in done], dtype=np.float64)
        return chart(frame, *dots(frame, x, scores, class_="model faint"), label=label)
    frame = Frame(Places(name, -0.5, len(values) - 0.5, tuple(map(str, values))), vertical)
    at = {str(value): place for place, value in enumerate(values)}
    x = np.array([at[str(one[name])] for one in done], dtype=np.float64)
    return chart(frame, *dots(frame, x, scores, class_="model faint"), label=label)


def heat_map(found: dict[str, Any], done: list[dict[str, Any]]) -> Section | None:
    """Return the mean score by the values of the two most important options that are lists."""
    lists = [name for name in found["importance"] if isinstance(found["space"][name], list)]
    if len(lists) < 2:
        return None
    down, across = lists[:2]
    columns = [str(value) for value in found["space"][across]]
    means: dict[tuple[str, str], list[float]] = {}
    for one in done:
        means.setdefault((str(one[down]), str(one[across])), []).append(one["score"])
    known = [float(np.mean(scores)) for scores in means.values()]
    rows = [
        [str(value), *(_cell(means.get((str(value), column)), known) for column in columns)]
        for value in found["space"][down]
    ]
    return section(
        "Two options together",
        table(
            [f"{down} \\ {across}", *columns],
            rows,
            label=f"Mean score by {down} and {across}",
            class_="numbers heat",
        ),
        intro="The mean validation score of the finished trials with both values: the stronger the "
        "colour, the better.",
    )


def _cell(scores: list[float] | None, known: list[float]) -> Any:
    if not scores:
        return ""
    mean, low, high = float(np.mean(scores)), min(known), max(known)
    share = 0.0 if high == low else (mean - low) / (high - low)
    trials = count_of(len(scores), "trial")
    return element(
        "span", wording.score(mean), class_="heated", style=f"--heat: {share:.2f}", title=trials
    )


def trials(found: dict[str, Any]) -> Section | None:
    """Return the table of all trials, the best first."""
    names = list(found["space"])
    ordered = sorted(
        found["trials"],
        key=lambda one: float("-inf") if one["score"] is None else one["score"],
        reverse=True,
    )
    rows = [
        [
            str(one["trial"]),
            wording.score(one["score"]) if one["score"] is not None else "",
            one["state"],
            *("" if one[name] is None else short(one[name]) for name in names),
            "" if one["seconds"] is None else f"{one['seconds']:g} s",
        ]
        for one in ordered
    ]
    header = ["trial", "score", "state", *names, "time"]
    return section(
        "Trials",
        table(header, rows, label="All trials", class_="numbers"),
        intro="Every trial, the best first. Trials share the outputs of frozen layers: the first "
        "trial that needs them computes them, and its time includes that.",
    )
