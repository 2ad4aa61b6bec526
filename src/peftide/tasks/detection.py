"""Labels as text → the task that fits them, or an error with the tasks to choose from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from peftide.errors import InputError
from peftide.outcomes.multilabel import SEPARATORS, split_classes
from peftide.sequences.label_kinds import are_per_residue, are_yes_no, is_number
from peftide.tasks.symmetry import DEFAULT_MAP, split_groups

WHOLE = re.compile(r"[+-]?\d+")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
GROUP_WITH_ORDER = re.compile(r"[CD]\d+", re.IGNORECASE)
SCHOENFLIES = {label.upper() for label in DEFAULT_MAP}
ABOUT_PAIRS = {
    "binary": "ppi",
    "multiclass": "pair-multiclass",
    "multilabel": "pair-multilabel",
    "regression": "pair-regression",
}
"""Task on single sequences → its sibling on pairs."""


@dataclass(frozen=True)
class Detection:
    """The tasks that fit the labels, at best one, and the reason in words."""

    tasks: tuple[str, ...]
    reason: str


def detect_task(
    labels: Sequence[str], *, lengths: Sequence[int] | None, pairs: bool, where: str | Path = ""
) -> tuple[str, str]:
    """Return the task that fits the training labels, and the reason in words.

    Parameters
    ----------
    labels
        Text of each row.
    lengths
        Residues of each row's sequence, or None (of pairs).
    pairs
        Whether a row names two proteins.
    where
        The table, for messages.

    Raises
    ------
    InputError
        If labels fit more than one task, naming those to choose from.

    Examples
    --------
    >>> detect_task(["nucleus", "cytosol", "nucleus"], lengths=[90, 80, 70], pairs=False)
    ('multiclass', '2 different words')
    """
    texts = [label.strip() for label in labels]
    distinct = list(dict.fromkeys(texts))
    found = (
        _of_residues(labels, lengths)
        or _of_numbers(distinct, rows=len(texts))
        or (None if pairs else _of_groups(distinct))
        or _of_sets(distinct)
        or _of_words(distinct, rows=len(texts))
    )
    tasks = dict.fromkeys(ABOUT_PAIRS.get(task, task) if pairs else task for task in found.tasks)
    if len(tasks) > 1:
        raise InputError(
            f"the labels are {found.reason}; the task cannot be told from that",
            expected=" or ".join(f"--task {task}" for task in tasks),
            where=where,
            fix="Another column? Name it with --label-column",
        )
    return next(iter(tasks)), found.reason


def _of_residues(labels: Sequence[str], lengths: Sequence[int] | None) -> Detection | None:
    """Residues, if most labels are as long as their sequences; a few may be mistakes."""
    if lengths is None or not are_per_residue(labels, lengths):
        return None
    return Detection(("residue",), "as long as their sequences")


def _of_numbers(distinct: list[str], *, rows: int) -> Detection | None:
    """Yes or no, or values; whole numbers that come again and again might name classes."""
    shown = ", ".join(distinct[:3])
    if are_yes_no(distinct):
        return Detection(("binary",), f"yes or no ({shown})")
    commas = [text for text in distinct if DECIMAL_COMMA.fullmatch(text)]
    if not all(is_number(text) or text in commas for text in distinct):
        return None
    if commas:
        reason = f"sets of numbers, or numbers with a comma for the point ({commas[0]})"
        return Detection(("multilabel", "regression"), reason)
    if 2 * len(distinct) > rows or not all(WHOLE.fullmatch(text) for text in distinct):
        return Detection(("regression",), f"numbers ({shown}, …)")
    numbers = sorted(int(text) for text in distinct)
    reason = f"whole numbers from {numbers[0]} to {numbers[-1]}, {len(numbers):,} different ones"
    return Detection(("multiclass", "regression"), reason)


def _of_groups(distinct: list[str]) -> Detection | None:
    """Symmetry groups."""
    groups = {group.upper() for text in distinct for group in split_groups(text)}
    if groups <= SCHOENFLIES and any(GROUP_WITH_ORDER.fullmatch(group) for group in groups):
        return Detection(("symmetry",), f"symmetry groups ({', '.join(sorted(groups)[:3])}, …)")
    return None


def _of_sets(distinct: list[str]) -> Detection | None:
    """Several classes in one cell."""
    several = [text for text in distinct if SEPARATORS.search(text)]
    if not several:
        return None
    names = {name for text in distinct for name in split_classes(text)}
    reason = f"sets of {len(names):,} classes ({several[0]})"
    return Detection(("multilabel",), reason)


def _of_words(distinct: list[str], *, rows: int) -> Detection:
    numbers = [text for text in distinct if is_number(text)]
    if numbers:
        word = next(text for text in distinct if text not in numbers)
        count = len(distinct) - len(numbers)
        others = f"{count:,} different texts" if count > 1 else "one text"
        reason = f"numbers such as {numbers[0]} and {others} such as {word}"
        return Detection(("multiclass", "regression"), reason)
    if 2 * len(distinct) > rows > 3:
        reason = f"{len(distinct):,} different texts in {rows:,} rows (such as {distinct[0][:40]})"
        return Detection(("multiclass", "multilabel"), reason)
    return Detection(("multiclass",), f"{len(distinct):,} different words")
