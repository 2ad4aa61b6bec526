"""A run → the top of its page: title, scored files, date, and a warning of leaks."""

from collections.abc import Iterator
from typing import Any

from peftide.quantities import count_of
from peftide.report import wording
from peftide.report.markup import Markup, element
from peftide.report.read import Run
from peftide.report.writing import page_header
from peftide.tasks import TASKS


def masthead(run: Run, *, title: str | None = None) -> Markup:
    """Return the header of the page; `title` replaces the title of the run."""
    given = title_of(run, title)
    return page_header(
        run.record.get("command", "train"),
        given or question(run),
        about(run),
        question=question(run) if given else "",
    )


def title_of(run: Run, title: str | None = None) -> str:
    """Return the title that the user gave, on one line; empty without one."""
    return " ".join((title or run.options.get("title") or "").split())


def question(run: Run) -> str:
    """Return the question of the task."""
    task = run.options.get("task") or run.record.get("task") or "Scores"
    return TASKS[task].question if task in TASKS else wording.plain(task)


def means(run: Run) -> list[str]:
    """Return method and backbone of the model, in words."""
    given = {name: value for name, value in run.options.items() if value is not None}
    known = {**run.record, **given}
    method = str(known.get("method", ""))
    named = wording.METHODS.get(method, method)
    if method == "head" and run.record.get("steps") == 0:
        named = "frozen backbone, ridge regression"
    answers = [named, known.get("backbone")]
    return [str(answer) for answer in answers if answer]


def about(run: Run) -> Iterator[tuple[str, str]]:
    """Yield name and value of each fact about the run."""
    yield "model", " · ".join(means(run))
    yield "trained run", str(run.record.get("model") or "")
    yield "folder", str(run.folder.path)
    yield "scored on", "; ".join(scored_files(run))
    yield "date", " · ".join(date(run))


def date(run: Run) -> list[str]:
    """Return date and time of the run, if the record has them."""
    written = run.record.get("date")
    return [wording.moment(written)] if written else []


def scored_files(run: Run) -> list[str]:
    """Return each reported part with its number of rows and its file."""
    return [_scored(run, part) for part in run.reported]


def _scored(run: Run, part: str) -> str:
    known = run.audit.get("parts", {}).get(part, {})
    path = known.get("file") or run.record.get("input")
    rows = rows_of(run, part)
    said = f"{part}, {count_of(rows, run.unit)}"
    return f"{said} of {path}" if path else said


def rows_of(run: Run, part: str) -> int:
    """Return the number of rows that entered the scores of a part."""
    entries = run.metrics["splits"][part].values()
    return max((entry["n"] for entry in entries if entry.get("n") is not None), default=0)


def leaks(run: Run) -> list[dict[str, Any]]:
    """Return the leaks that the audit found in the reported parts."""
    return [
        verdict
        for verdict in run.audit.get("verdicts", [])
        if verdict["severity"] == "leak" and verdict["part"] in run.reported
    ]


def banner(run: Run) -> Markup | None:
    """Return a warning with the size of each leak; None if the audit found none."""
    found = leaks(run)
    if not found:
        return None
    parts = ", ".join(dict.fromkeys(verdict["part"] for verdict in found))
    are = "score is" if len({verdict["part"] for verdict in found}) == 1 else "scores are"
    return element(
        "div",
        element("p", element("strong", f"Data leak: the {are} too good on {parts}.")),
        element("ul", [element("li", f"{one['part']}: {one['text']}.") for one in found]),
        element("p", "The section ", element("a", "Audit", href="#audit"), " says what to do."),
        class_="banner",
        role="note",
        aria_label="Data leak",
    )
