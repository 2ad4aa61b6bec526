"""A run folder → report.html: one file without scripts or links to the network."""

import logging
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from peftide.files import write_text
from peftide.progress import working
from peftide.report import wording
from peftide.report.account import (
    audited,
    cost,
    counted,
    learning,
    next_steps,
    settings,
)
from peftide.report.curves import figures_of
from peftide.report.downloads import downloads
from peftide.report.groups import groups_intro, groups_of
from peftide.report.markup import Markup, element
from peftide.report.mistakes import confusion, confusion_table, surest_mistakes
from peftide.report.read import Part, Run, read_run
from peftide.report.scoreboard import all_scores, class_scores, headline, standings
from peftide.report.tables import section
from peftide.tasks import TASKS

logger = logging.getLogger(__name__)


def write_report(path: str | Path) -> Path:
    """Write `report.html` into a run folder, from its other files; return its path.

    Raises
    ------
    InputError
        If the folder holds no scores.
    StorageError
        If the page cannot be written.
    """
    with working("writing the report"):
        run = read_run(Path(path))
        write_text(run.folder.report, page(run))
    return run.folder.report


def write_report_if_possible(path: Path) -> None:
    """Write the report of a finished run; say why there is none if it fails."""
    try:
        write_report(path)
    except Exception as error:  # noqa: BLE001 — scores and model are written: no reason to fail
        logger.warning(
            "note: no report was written (%s: %s). All other files of %s are complete; "
            "`peftide report %s` tries again",
            type(error).__name__,
            error,
            path,
            path,
        )
        logger.debug("why there is no report:", exc_info=True)


def page(run: Run) -> str:
    """Return the whole page."""
    title = f"{question(run)} {' · '.join(means(run))}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(style())),
    )
    body = element("body", masthead(run), element("main", sections(run)), colophon(run))
    return "<!DOCTYPE html>\n" + element("html", head, body, lang="en") + "\n"


def style() -> str:
    """Return the style sheet."""
    return (files("peftide.report") / "style.css").read_text(encoding="utf-8")


def question(run: Run) -> str:
    """Return the question of the task."""
    task = run.options.get("task") or run.record.get("task") or "Scores"
    return TASKS[task].question if task in TASKS else wording.plain(task)


def means(run: Run) -> list[str]:
    """Return method, backbone and name of the run."""
    known = {**run.record, **run.options}
    method = str(known.get("method", ""))
    answers = [wording.METHODS.get(method, method), known.get("backbone"), run.folder.path.name]
    return [str(answer) for answer in answers if answer]


def date(run: Run) -> list[str]:
    """Return date and time of the run, if the record has them."""
    written = run.record.get("date")
    return [f"{datetime.fromisoformat(written):%Y-%m-%d %H:%M %Z}".strip()] if written else []


def masthead(run: Run) -> Markup:
    """Return the top of the page."""
    command = run.record.get("command", "train")
    return element(
        "header",
        element("p", f"peftide {command}", class_="kicker"),
        element("h1", question(run)),
        element("p", " · ".join([*means(run), *date(run)]), class_="means"),
        headline(run),
    )


def sections(run: Run) -> list[Markup | None]:
    """Return all sections; None for empty ones."""
    threshold = run.metrics.get("threshold")
    parts = [part for part in run.parts if len(part)]
    return [
        standings(run),
        *(closer_look(run, part, threshold=threshold) for part in parts),
        all_scores(run),
        learning(run),
        counted(run),
        audited(run),
        cost(run),
        next_steps(run),
        settings(run),
        downloads(run, threshold=threshold),
    ]


def closer_look(run: Run, part: Part, *, threshold: float | None) -> Markup | None:
    """Return figures, classes, groups and mistakes of one part."""
    figures = figures_of(part, threshold=threshold, scores=run.metrics["splits"][part.name])
    confused = confusion(part, threshold=threshold)
    groups = groups_of(part)
    return section(
        f"A closer look at {part.name}",
        element("div", figures, class_="figures") if figures else None,
        confusion_table(*confused) if confused else None,
        class_scores(run, part.name),
        element("h3", "Groups of rows") if groups else None,
        element("p", groups_intro(part), class_="intro") if groups else None,
        element("div", groups, class_="groups") if groups else None,
        surest_mistakes(part, threshold=threshold),
    )


def colophon(run: Run) -> Markup:
    """Return the foot of the page."""
    version = run.record.get("versions", {}).get("peftide", "")
    return element("footer", element("p", f"Written by peftide {version} from {run.folder.path}"))
