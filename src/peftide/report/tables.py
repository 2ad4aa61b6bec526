"""Rows of cells → HTML tables with header cells, in a frame that scrolls by itself."""

from collections.abc import Iterable, Sequence
from typing import Any

from peftide.report.markup import Markup, element, prose


def table(
    header: Sequence[Any], rows: Iterable[Sequence[Any]], *, label: str, class_: str | None = None
) -> Markup:
    """Return a table; the first cell of each row is its header.

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


def section(title: str, *content: Any, intro: str = "") -> Markup | None:
    """Return a section with its heading; None if there is nothing in it."""
    if not any(content):
        return None
    lead = element("p", prose(intro), class_="intro") if intro else None
    return element("section", element("h2", title), lead, content)
