"""Text of a cell comes in; whether it stands for a missing value goes out."""

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

from peftide.sequences.records import Examples, Finding
from peftide.sequences.tallies import row_findings
from peftide.types import BoolArray, FloatArray

MISSING = frozenset(
    {
        *("na", "n/a", "nan", "none", "null", "<na>", "missing", "unknown", "undefined"),
        *("(null)", "[null]", "<null>", "(missing)", "(none)", "(empty)", "(blank)"),
        *("-", "--", "–", "—", ".", "?", r"\n"),
        *("#n/a", "#na", "#value!", "#ref!", "#div/0!", "#name?", "#null!", "#num!"),
    }
)
"""Texts, in lower case, that R, pandas, databases and spreadsheets write for a missing value."""
MISSING_SEQUENCES = MISSING | {
    *("sequence unavailable", "sequence not available", "unavailable", "not available"),
    *("not found", "no sequence", "no sequence found", "no data", "not determined"),
    *("not applicable", "deleted", "withdrawn", "obsolete", "true", "false"),
    *("n.a.", "n.a", "n.d.", "n.d", "n/d", "tbd", "void", "empty", "blank", "#n/a n/a", "…", "..."),
}
"""Texts that stand for a missing sequence: BioMart writes `Sequence unavailable`."""
MISSING_LABELS = MISSING | {
    *("nil", "n.d.", "n.d", "nd", "n/d", "n.a.", "n.a", "tbd"),
    *("not determined", "not available", "not applicable", "undetermined", "unassigned"),
    *("not assigned", "not annotated"),
}
"""Texts that stand for a missing label. As a sequence, `NIL` and `ND` are peptides."""
SENTINEL = re.compile(r"-?9{2,}(\.\d+)?|-1e\+\d\d|9\.969\d*e\+36")
"""Numbers such as -999 or 9.969e+36, which programs write for a missing value."""
SENTINEL_GAP = 3
"""Such a number stands apart if it is this many ranges of all others away from them."""
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


def looks_missing_sequence(text: str) -> bool:
    """Return whether the text of a sequence is empty or stands for a missing value.

    Examples
    --------
    >>> [looks_missing_sequence(text) for text in ("Sequence unavailable", "NaT", "NAT", "ND")]
    [True, True, False, False]
    """
    words = " ".join(text.split())
    return looks_missing(text) or words.lower() in MISSING_SEQUENCES or words == "NaT"


def looks_missing_label(text: str) -> bool:
    """Return whether the text of a label is empty or stands for a missing value.

    Examples
    --------
    >>> [looks_missing_label(text) for text in ("n.d.", "NA", "nil", "no")]
    [True, True, True, False]
    """
    return looks_missing(text) or text.strip().lower() in MISSING_LABELS


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
    odd = {name for name in distinct if looks_missing_label(name)}
    if distinct >= SIGNS:
        odd -= SIGNS
    rows = np.array([not odd.isdisjoint(row) for row in names], dtype=bool)
    shown = ", ".join(repr(name) for name in sorted(odd)[:3])
    kept = "a missing value but counts as a class; leave out the rows if their label is unknown"
    return _findings(part, rows, where=where, text=f"rows with {shown}", kept=kept)


def missing_labels(part: str, examples: Examples) -> tuple[Finding, ...]:
    """Count the rows whose label looks like a missing value, whatever the task.

    Not counted are empty labels, and `none`, which may be an empty set of classes.
    """
    texts = [text.strip() for text in examples.labels or ()]
    names = [(text,) if text and text.lower() != "none" else () for text in texts]
    numbers = np.asarray(
        pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce"), dtype=np.float64
    )
    rows = np.isfinite(numbers)
    return missing_classes(part, names, where=examples.where) + missing_numbers(
        part, numbers, rows, where=examples.where
    )


def missing_residues(
    part: str, rows: Sequence[frozenset[str]], *, where: Callable[[int], str]
) -> tuple[Finding, ...]:
    """Count the rows whose residue labels look missing: all are a sign such as `-`, or one is `?`.

    Parameters
    ----------
    rows
        The different labels of the unmasked residues of each row.
    where
        Place of a row by its index, for the examples.
    """
    signs = frozenset("-.?") - (SIGNS if frozenset().union(*rows) >= SIGNS else frozenset())
    odd = np.array([bool(row) and ("?" in row or row <= signs) for row in rows], dtype=bool)
    shown = sorted(signs & frozenset().union(*(rows[int(row)] for row in np.flatnonzero(odd))))
    kept = "a missing value but counts as a class; give these residues a 0 in the mask, or leave "
    text = f"rows of residues with {' '.join(map(repr, shown))}"
    return _findings(part, odd, where=where, text=text, kept=f"{kept}out the rows")


def missing_numbers(
    part: str, values: FloatArray, counted: BoolArray, *, where: Callable[[int], str]
) -> tuple[Finding, ...]:
    """Count numbers such as -999 that stand far apart from all others.

    Parameters
    ----------
    values
        Number of each row. Shape (R,).
    counted
        Rows that count. Shape (R,).
    where
        Place of a row by its index, for the examples.

    Examples
    --------
    >>> values = np.array([0.5, 1.5, -999, 2.5])
    >>> found = missing_numbers("train", values, np.ones(4, bool), where=str)
    >>> found[0].kind, found[0].examples
    ('labels_like_missing_values', ('2',))
    """
    distinct = np.unique(values[counted])
    marks = np.array([bool(SENTINEL.fullmatch(f"{value:g}")) for value in distinct], dtype=bool)
    usual = distinct[~marks]
    if not len(usual):
        return ()
    gap = SENTINEL_GAP * max(float(np.ptp(usual)), 1.0)
    marks &= (distinct < usual.min() - gap) | (distinct > usual.max() + gap)
    shown = ", ".join(f"{mark:g}" for mark in distinct[marks])
    kept = "a mark for a missing value but counts as a number; leave out the rows if their label "
    rows = counted & np.isin(values, distinct[marks])
    return _findings(part, rows, where=where, text=f"rows with {shown}", kept=f"{kept}is unknown")


def _findings(
    part: str, rows: BoolArray, *, where: Callable[[int], str], text: str, kept: str
) -> tuple[Finding, ...]:
    """Count rows whose labels look missing, and name the first."""
    first = f" (the first: {where(int(rows.argmax()))})" if rows.any() else ""
    decision = f"{text}{first}, which looks like {kept}"
    return row_findings(part, "labels_like_missing_values", rows, where=where, decision=decision)
