"""A run folder → report.html: one file without scripts or links to the network."""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from peftide.files import write_text
from peftide.progress import working
from peftide.report.account import (
    audited,
    cost,
    counted,
    learning,
    next_steps,
    settings,
)
from peftide.report.card import card
from peftide.report.curves import Beside, figures_of
from peftide.report.downloads import downloads
from peftide.report.groups import groups_intro, groups_of
from peftide.report.layers import layers
from peftide.report.markup import Markup, element
from peftide.report.masthead import banner, masthead, means, question, title_of
from peftide.report.merged import merged_classes
from peftide.report.mistakes import confusion, confusion_table, surest_mistakes
from peftide.report.read import Part, Run, read_run
from peftide.report.scoreboard import all_scores, class_scores, headline, standings
from peftide.report.tables import Section, section
from peftide.report.verdict import others
from peftide.report.writing import page_footer, try_to_write

NO_BREAK = "\u00a0"
"""A blank at which no line breaks."""
MAIN = "results"
"""The id of the main part of the page."""


def write_run(path: Path, *, title: str | None = None) -> Path:
    """Write the report of a training or an evaluation; return its path.

    Raises
    ------
    InputError
        If the folder holds no scores.
    StorageError
        If the page cannot be written.
    """
    with working("writing the report"):
        run = read_run(path)
        if run.folder.model.is_dir():
            write_text(run.folder.card, card(run, title=title), tidy=True)
        # the last one: a finished run without a report is completed by the next call
        write_text(run.folder.report, page(run, title=title), tidy=True)
    return run.folder.report


def write_report_if_possible(path: Path, *, title: str | None = None) -> None:
    """Write the report of a finished run; say why there is none if it fails."""
    try_to_write(
        lambda: write_run(path, title=title),
        otherwise=f". All other files of {path} are complete; `peftide report {path}` tries again",
    )


def page(run: Run, *, title: str | None = None) -> str:
    """Return the whole page."""
    name = title_of(run, title) or question(run)
    return document(
        " · ".join([name, *means(run), run.folder.path.name]),
        header=masthead(run, title=title),
        main=[headline(run), banner(run), *listed(sections(run))],
        footer=page_footer(run.record, run.folder.path),
    )


def document(title: str, *, header: Markup, main: Any, footer: Markup) -> str:
    """Return a page with its style sheet, and a link that skips the header."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(style())),
    )
    body = element(
        "body",
        element("a", "Skip to the results", href=f"#{MAIN}", class_="skip"),
        header,
        element("main", main, id=MAIN, tabindex=-1),
        footer,
    ).replace(" %", NO_BREAK + "%")
    return "<!DOCTYPE html>\n" + element("html", head, Markup(body), lang="en") + "\n"


def listed(found: Iterable[Section | None]) -> list[Markup]:
    """Return a list of contents, then the sections; each has a unique id."""
    anchors: dict[str, Section] = {}
    for one in found:
        if one is not None:
            anchor, k = one.anchor, 2
            while anchor in anchors or anchor == MAIN:
                anchor, k = f"{one.anchor}-{k}", k + 1
            anchors[anchor] = one
    links = [
        element("li", element("a", one.title, href=f"#{anchor}")) for anchor, one in anchors.items()
    ]
    contents = element("nav", element("ul", links), class_="contents", aria_label="Contents")
    return [contents, *(one.markup(anchor) for anchor, one in anchors.items())]


def style() -> str:
    """Return the style sheet."""
    return (files("peftide.report") / "style.css").read_text(encoding="utf-8")


def sections(run: Run) -> list[Section | None]:
    """Return all sections; None for empty ones."""
    threshold = run.metrics.get("threshold")
    parts = [part for part in run.parts if len(part)]
    return [
        standings(run),
        *(closer_look(run, part, threshold=threshold) for part in parts),
        all_scores(run),
        layers(run),
        learning(run),
        counted(run),
        audited(run),
        cost(run),
        next_steps(run),
        settings(run),
        downloads(run, threshold=threshold),
    ]


def closer_look(run: Run, part: Part, *, threshold: float | None) -> Section | None:
    """Return figures, classes, groups and mistakes of one part."""
    figures = figures_of(part, beside(run, part, threshold=threshold))
    confused = confusion(part, threshold=threshold)
    groups = groups_of(part)
    return section(
        f"A closer look at {part.name}",
        element("div", figures, class_="figures") if figures else None,
        confusion_table(*confused) if confused else None,
        class_scores(run, part.name),
        merged_classes(run, part.name),
        element("h3", f"Groups of {part.unit}s") if groups else None,
        element("p", groups_intro(part), class_="intro") if groups else None,
        element("div", groups, class_="groups") if groups else None,
        surest_mistakes(part, threshold=threshold),
        intro=f"Where the predictions on {part.name} agree with the labels, and where they do not.",
    )


def beside(run: Run, part: Part, *, threshold: float | None) -> Beside:
    """Return the data that the figures of a part show in addition to its rows."""
    known = run.curves.get(part.name, {})
    ranked = [one.name for one in others(run.metrics, part.name, run.metrics["headline"])]
    names = [name for name in ranked if name in known]
    return Beside(
        threshold, run.metrics["splits"][part.name], {name: known[name] for name in names}
    )
