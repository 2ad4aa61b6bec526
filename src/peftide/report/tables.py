"""Rows of cells → HTML tables with captions and header cells; sections with their headings."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from peftide.report.markup import Markup, element, prose

LONGEST_NAME = 40
"""Characters of the name of a class in a table."""


@dataclass(frozen=True)
class Section:
    """A section of the page: a heading, how to read it, and its content."""

    title: str
    content: tuple[Any, ...]
    intro: str = ""

    @property
    def anchor(self) -> str:
        """The id to which the contents list links.

        Examples
        --------
        >>> Section("A closer look at test", ()).anchor
        'a-closer-look-at-test'
        """
        return re.sub(r"\W+", "-", self.title.lower()).strip("-")

    def markup(self, anchor: str | None = None) -> Markup:
        """Return the section as HTML, with its own id or another."""
        return element(
            "section",
            element("h2", self.title),
            element("p", prose(self.intro), class_="intro") if self.intro else None,
            self.content,
            id=anchor or self.anchor,
        )


def section(title: str, *content: Any, intro: str = "") -> Section | None:
    """Return a section; None if there is nothing in it."""
    return Section(title, content, intro) if any(content) else None


def table(
    header: Sequence[Any],
    rows: Iterable[Sequence[Any]],
    *,
    label: str,
    caption: Any = None,
    class_: str | None = None,
) -> Markup:
    """Return a table; the first cell of each row is its header.

    Parameters
    ----------
    label
        Name of the table, which is read aloud.
    caption
        The caption, if it differs from the label; False: the page has one outside the table.

    Examples
    --------
    >>> table(["", "test"], [["AUROC", "0.9"]], label="Scores").count("<th scope=")
    2
    """
    body = [
        element("tr", element("th", row[0], scope="row"), [element("td", cell) for cell in row[1:]])
        for row in rows
    ]
    head = [
        element("th", cell, scope="col") if cell else element("td", class_="corner")
        for cell in header
    ]
    return scrolling(
        element(
            "table",
            None if caption is False else element("caption", caption or label),
            element("thead", element("tr", head)) if any(header) else None,
            element("tbody", body),
            class_=class_,
        ),
        label=label,
    )


def scrolling(content: Markup, *, label: str) -> Markup:
    """Return a frame in which a wide table scrolls, by keyboard too, while the page stays."""
    return element("div", content, class_="wide", role="region", aria_label=label, tabindex=0)


def facts(pairs: Iterable[tuple[Any, Any]], *, label: str) -> Markup | None:
    """Return a table of names and values; None without any."""
    rows = [(name, value) for name, value in pairs if value not in (None, "")]
    return table(["", ""], rows, label=label, class_="facts") if rows else None


def class_name(name: str) -> Markup | str:
    """Return a name of a class for a cell; a long one is cut, and shown whole by the pointer.

    Examples
    --------
    >>> class_name("membrane")
    'membrane'
    >>> class_name("a" * 50)[-24:]
    'aaaaaaaaaaaaaaaa…</span>'
    """
    if len(name) <= LONGEST_NAME:
        return name
    return element("span", f"{name[: LONGEST_NAME - 1]}…", title=name)
