"""Findings of reading → the classes that hold several labels of the table."""

from typing import Any

from peftide.report.markup import Markup, element, prose
from peftide.report.read import Run
from peftide.report.tables import class_name, table

KIND, READ_AS = "merged_labels", "read as "
OTHER = (
    "The class other holds the cyclic groups above C17, the dihedral groups above D12, and D1; "
    "`--class-map` reads another map of labels to classes."
)


def merged_classes(run: Run, part: str) -> Markup | None:
    """Return which labels each merged class holds, in training and in a part; None without any.

    For symmetry, the class `other` is explained even if no row has it.
    """
    where = {"train", part, "input"}  # an evaluation calls its table the input
    rows = [_row(found) for found in merges(run) if found["part"] in where]
    if not rows and not has_own_map(run):
        return None
    return element(
        "figure",
        element(
            "figcaption",
            element("b", "Merged classes. "),
            "These classes hold several labels of the table, with their numbers of rows. "
            if rows
            else None,
            prose(OTHER) if has_own_map(run) else None,
        ),
        table(
            ["class", "in", "rows", "labels"],
            rows,
            label="Merged classes",
            caption=False,
            class_="prose",
        )
        if rows
        else None,
        class_="full",
    )


def merges(run: Run) -> list[dict[str, Any]]:
    """Return the findings about merged labels."""
    return [found for found in run.record.get("findings", []) if found["kind"] == KIND]


def has_own_map(run: Run) -> bool:
    """Return whether the run has the classes of the task symmetry by peftide's default map."""
    return run.options.get("task") == "symmetry" and not run.options.get("class_map")


def _class_of(found: dict[str, Any]) -> tuple[str, str]:
    name, _, labels = found["decision"].removeprefix(READ_AS).partition(": ")
    return name, labels


def _row(found: dict[str, Any]) -> list[Any]:
    name, labels = _class_of(found)
    return [class_name(name), found["part"], f"{found['count']:,}", labels]
