"""Text of a cell comes in; whether it stands for a missing value goes out."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from peftide.sequences.records import Examples, Finding
from peftide.sequences.tallies import row_findings

MISSING = frozenset(
    {
        *("na", "n/a", "nan", "none", "null", "<na>", "missing"),
        *("-", "--", "–", "—", ".", "?", r"\n"),
        *("#n/a", "#na", "#value!", "#ref!", "#div/0!", "#name?", "#null!", "#num!"),
    }
)
"""Texts, in lower case, that R, pandas, databases and spreadsheets write for a missing value."""
SIGNS = frozenset({"+", "-"})
"""Names of two classes; the sign `-` is then no missing value."""


def looks_missing(text: str) -> bool:
    """Return whether a text is empty or stands for a missing value.

    Examples
    --------
    >>> [looks_missing(text) for text in (" NA ", "NaN", "", "NAK", "0")]
    [True, True, True, False, False]
    """
    word = text.strip().lower()
    return not word or word in MISSING


def missing_classes(
    part: str, names: Sequence[Iterable[str]], *, where: Callable[[int], str]
) -> tuple[Finding, ...]:
    """Count the rows with a class whose name looks like a missing value.

    Parameters
    ----------
    part
        Name of the part, for the finding.
    names
        Classes of each row.
    where
        Place of a row by its index, for the examples.
    """
    distinct = {name for row in names for name in row}
    odd = {name for name in distinct if looks_missing(name)}
    if distinct >= SIGNS:
        odd -= SIGNS
    rows = np.array([not odd.isdisjoint(row) for row in names], dtype=bool)
    shown = ", ".join(repr(name) for name in sorted(odd)[:3])
    return row_findings(
        part,
        "labels_like_missing_values",
        rows,
        where=where,
        decision=f"rows with {shown}, which looks like a missing value but counts as a class; "
        "leave out the rows if their label is unknown",
    )


def missing_labels(part: str, examples: Examples) -> tuple[Finding, ...]:
    """Count the rows whose label looks like a missing value, whatever the task.

    Not counted are empty labels, and `none`, which may be an empty set of classes.
    """
    texts = [text.strip() for text in examples.labels or ()]
    names = [(text,) if text and text.lower() != "none" else () for text in texts]
    return missing_classes(part, names, where=examples.where)
