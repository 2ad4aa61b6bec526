"""Labels that are numbers, or nearly → the tasks that fit them."""

import math
import operator
import re
from collections.abc import Sequence

from peftide.sequences.label_kinds import (
    TOO_MANY_DIGITS,
    WHOLE,
    are_whole,
    are_yes_no,
    is_number,
    shortened,
)
from peftide.sequences.missing import looks_missing_label
from peftide.sequences.near_numbers import LISTS, PLAIN, beside_number
from peftide.sequences.yes_no import is_yes
from peftide.tasks.column import Column, Detection

LONGEST_EXACT = 15
"""Spreadsheets keep this many digits of a number."""
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
MOST_NAMES, ROWS_EACH = 10, 4
"""So few different decimal numbers, in so many rows each, may be names: EC classes such as 2.7."""
MOST_HALVES = 3
"""So many different numbers between 0 and 1 may stand for doubtful cases of yes or no."""


def numbers_detected(column: Column, lengths: Sequence[int] | None) -> Detection | None:
    """Return the tasks that fit labels that are numbers, or nearly; None for other labels.

    Parameters
    ----------
    lengths
        Residues of each row's sequence, or None (of pairs).
    """
    return (
        _of_halves(column)
        or _of_near_numbers(column)
        or _of_rounded_residues(column, lengths)
        or _of_numbers(column)
    )


def _of_halves(column: Column) -> Detection | None:
    """Mostly 0 and 1, with a few numbers between them: doubtful cases, or means of repeats."""
    between = [text for text in column.counts if is_yes(text) is None]
    clear = sum(count for text, count in column.counts.items() if text not in between)
    ends = {is_yes(text) for text in column.counts}
    if not between or not ends >= {True, False} or 2 * clear <= len(column.rows):
        return None
    if len(between) > MOST_HALVES or not all(map(is_number, column.counts)):
        return None
    if not all(0 < float(text) < 1 for text in between):
        return None
    reason = f"0 and 1 and between them {', '.join(between)} ({column.where(between[0])})"
    return Detection(("regression", "multiclass", "binary"), reason)


def _of_near_numbers(column: Column) -> Detection | None:
    """Numbers with something beside them, such as a percent sign, or with missing values."""
    numbers = [text for text in column.counts if is_number(text)]
    others = [text for text in column.counts if not is_number(text)]
    missing = [text for text in others if looks_missing_label(text)]
    nearly = {text: kind for text in others if (kind := beside_number(text))}
    if not others or len(numbers) + len(missing) + len(nearly) < len(column.counts):
        return None
    if not nearly:
        if not numbers or are_yes_no(numbers):
            return None
        what = f"numbers, except {shortened(missing[0])} ({column.where(missing[0])})"
        reason = f"{what}, which looks like a missing value"
        return Detection(("regression", "multiclass"), reason, fix="Leave out these rows")
    text, kind = next(iter(nearly.items()))
    reason = f"numbers with {kind}, such as {shortened(text)} ({column.where(text)})"
    if kind in LISTS:
        reason = f"sets of numbers, or {reason}"
    tasks = ("multilabel" if kind in LISTS else "multiclass", "regression")
    fix = PLAIN[0].upper() + PLAIN[1:]
    if DECIMAL_COMMA.fullmatch(text):
        fix = f"If these are decimal commas, write {text.replace(',', '.')} instead of {text}"
        fix += " for --task regression; else separate the classes by semicolons"
    return Detection(tasks, reason, asks=True, fix=fix)


def are_rounded(labels: Sequence[str]) -> bool:
    """Return whether digits for residues became a number: after the 15th, all are 0.

    Examples
    --------
    >>> are_rounded(["123123123123123000", "31231231231231200"]), are_rounded(["1" * 18])
    (True, False)
    """
    long = [label.strip() for label in labels if len(label.strip()) > LONGEST_EXACT]
    if not long or any(not text.isdigit() or text[0] == "0" for text in long):
        return False
    ends = [text[LONGEST_EXACT - 1] != "0" for text in long]
    zeros = all(set(text[LONGEST_EXACT:]) == {"0"} for text in long)
    return zeros and 2 * sum(ends) > len(long)


def _of_rounded_residues(column: Column, lengths: Sequence[int] | None) -> Detection | None:
    """Numbers of up to as many digits as residues: a spreadsheet has rounded labels of residues."""
    if lengths is None or not all(map(is_number, column.counts)):
        return None
    digits = [math.log10(max(abs(float(text)), 1)) for text in column.rows]
    if max(digits) < LONGEST_EXACT or any(map(operator.gt, digits, lengths)):
        return None
    text = column.rows[digits.index(max(digits))]
    reason = (
        f"numbers such as {shortened(text)} ({column.where(text)}), with no more digits than their "
        "sequences have residues: labels of residues that a spreadsheet has rounded"
    )
    fix = "Write labels of residues as text, such as '0110' or 0 1 1 0"
    return Detection(("residue", "regression"), reason, asks=True, fix=fix)


def _are_running(distinct: Sequence[str], rows: int) -> bool:
    """Return whether every row has another whole number, without a gap."""
    if len(distinct) < rows or rows < MOST_NAMES or not are_whole(distinct):
        return False
    numbers = [int(float(text)) for text in distinct]
    return max(numbers) - min(numbers) == rows - 1


def _of_numbers(column: Column) -> Detection | None:
    """Yes or no, or values; whole numbers that come again and again might name classes."""
    distinct, rows = list(column.counts), len(column.rows)
    shown = ", ".join(distinct[:3])
    if are_yes_no(distinct):
        return Detection(("binary",), f"yes or no ({shown})")
    long = [text for text in distinct if TOO_MANY_DIGITS.fullmatch(text)]
    if long and all(map(WHOLE.fullmatch, distinct)):
        reason = f"digits too long for a number, such as {shortened(long[0])}"
        tasks = ("residue", "multiclass")
        return Detection(tasks, f"{reason} ({column.where(long[0])})", asks=True)
    if not all(map(is_number, distinct)):
        return None
    few = 1 < len(distinct) <= MOST_NAMES and ROWS_EACH * len(distinct) <= rows
    if 2 * len(distinct) > rows or not (few or are_whole(distinct)):
        doubt = ": a running number; is the column an id?" if _are_running(distinct, rows) else ""
        return Detection(("regression",), f"numbers ({shown}, …){doubt}")
    if not are_whole(distinct):
        reason = f"{len(distinct):,} different numbers in {rows:,} rows ({shown}, …)"
        return Detection(("multiclass", "regression"), reason)
    numbers = sorted({int(float(text)) for text in distinct})
    reason = f"whole numbers from {numbers[0]} to {numbers[-1]}, {len(numbers):,} different ones"
    return Detection(("multiclass", "regression"), reason)
