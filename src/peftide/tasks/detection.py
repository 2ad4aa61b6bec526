"""Labels as text → the task that fits them, or an error with the tasks to choose from."""

import operator
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from peftide.errors import InputError, raise_problems
from peftide.quantities import count_of
from peftide.sequences.label_kinds import (
    MOST_CLASSES,
    TOO_MANY_DIGITS,
    are_per_residue,
    are_whole,
    is_number,
    residue_numbers,
    shortened,
)
from peftide.sequences.label_lists import (
    NONE,
    SEPARATORS,
    WRITE_WHOLE,
    columns_of,
    is_missing,
    is_numeral,
    label_list,
    list_fault,
    repeated_numbers,
    split_classes,
)
from peftide.sequences.missing import looks_missing_label
from peftide.sequences.near_misses import spelling_key
from peftide.sequences.near_numbers import PLAIN, beside_number
from peftide.sequences.residue_labels import length_misfit, per_residue
from peftide.sequences.yes_no import is_yes
from peftide.tasks.column import ODD_SHARE, Column, Detection, Place, row_number
from peftide.tasks.number_columns import are_rounded, numbers_detected
from peftide.tasks.symmetry import DEFAULT_MAP, split_groups

GROUP_WITH_ORDER = re.compile(r"[CD]\d+", re.IGNORECASE)
SITES = re.compile(r"(\d+)(?:\s*[-–]\s*(\d{1,15}))?", re.ASCII)
SCHOENFLIES = {label.upper() for label in DEFAULT_MAP}
ABOUT_PAIRS = {
    "binary": "ppi",
    "multiclass": "pair-multiclass",
    "multilabel": "pair-multilabel",
    "regression": "pair-regression",
}
"""Task on single sequences → its sibling on pairs."""
OF_RESIDUES = ("residue", "residue-regression")


def detect_task(
    labels: Sequence[str],
    *,
    lengths: Sequence[int] | None,
    pairs: bool,
    where: str | Path = "",
    place: Place = row_number,
    stops: int = 0,
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
    place
        Place of a row by its index, for messages.
    stops
        Sequences that lost a `*` at their end while they were read.

    Raises
    ------
    InputError
        If labels fit more than one task, naming those to choose from; if a list was cut; or if
        labels of residues are longer or shorter than their sequences.

    Examples
    --------
    >>> detect_task(["nucleus", "cytosol", "nucleus"], lengths=[90, 80, 70], pairs=False)
    ('multiclass', '2 different words')
    """
    found = _detection(labels, lengths=lengths, pairs=pairs, place=place, stops=stops)
    if found.asks or len(found.tasks) != 1:
        raise InputError(
            f"the labels are {found.reason}; the task cannot be told from that",
            expected=" or ".join(f"--task {task}" for task in found.tasks),
            where=where,
            fix=f"{found.fix}, or name the task. Another column? Name it with --label-column",
        )
    return found.tasks[0], found.reason


def tasks_to_choose(
    labels: Sequence[str], *, lengths: Sequence[int] | None, pairs: bool
) -> tuple[str, ...]:
    """Return the tasks that fit the labels, the likeliest first; none if they need a correction.

    The parameters are as in `detect_task`.

    Examples
    --------
    >>> tasks_to_choose(["0", "1", "2"] * 5, lengths=[90] * 15, pairs=False)
    ('multiclass', 'regression')
    >>> tasks_to_choose(["1,5", "2,5"] * 5, lengths=[90] * 10, pairs=False)
    ()
    """
    try:
        found = _detection(labels, lengths=lengths, pairs=pairs, place=row_number, stops=0)
    except InputError:
        return ()
    return () if found.asks else found.tasks


def _detection(
    labels: Sequence[str],
    *,
    lengths: Sequence[int] | None,
    pairs: bool,
    place: Place,
    stops: int,
) -> Detection:
    """Return the tasks that fit the labels; the parameters are as in `detect_task`."""
    texts = tuple(label.strip() for label in labels)
    column = Column(texts, Counter(texts), place)
    refuse_faulty_lists(column)
    found = (
        _of_residues(labels, lengths, place, stops=stops)
        or _of_odd_ones(column, pairs=pairs)
        or numbers_detected(column, lengths)
        or (None if pairs else _of_groups(column))
        or _of_sites(column, lengths)
        or _of_sets(column)
        or _of_words(column)
    )
    if not pairs:
        return replace(found, tasks=tuple(dict.fromkeys(found.tasks)))
    named = [task for task in found.tasks if task not in OF_RESIDUES]
    named = [ABOUT_PAIRS.get(task, task) for task in named]
    return replace(found, tasks=tuple(dict.fromkeys(named)))


def refuse_faulty_lists(column: Column) -> None:
    """Raise if a label is a list that was cut, or cannot be read for another reason.

    Raises
    ------
    InputError
        Naming file and line of each.
    """
    raise_problems(
        [
            f"{column.where(text)}: label {shortened(text)} {fault}"
            for text in column.counts
            if (fault := list_fault(text))
        ],
        fix=WRITE_WHOLE,
    )


def _of_residues(
    labels: Sequence[str], lengths: Sequence[int] | None, place: Place, *, stops: int
) -> Detection | None:
    """Residues, if most labels are as long as their sequences; a few may be mistakes."""
    if lengths is None:
        return None
    if are_per_residue(labels, lengths):
        return _of_fitting(labels, lengths, place)
    misfit = length_misfit(labels, lengths, stops=stops)
    if misfit is None:
        return None
    listed = label_list(labels[misfit.row])
    numbers = listed is not None and listed.are_numbers
    task, what = ("residue-regression", "number") if numbers else ("residue", "character")
    raise InputError(
        f"the labels look like labels of residues, but {misfit.reason}",
        expected=f"one {what} per residue (--task {task})",
        where=place(misfit.row),
        fix=f"Correct the labels or the sequences for --task {task}; if the labels mean something "
        "else, name their task with --task",
    )


def _of_characters(labels: Sequence[str], lengths: Sequence[int], place: Place) -> Detection:
    """Classes of residues; numbers of several digits beside words leave a doubt."""
    reason = "as long as their sequences"
    for row, (label, length) in enumerate(zip(labels, lengths, strict=True)):
        entries = per_residue(label, length)
        words = [] if isinstance(entries, str) else [e for e in entries if not is_missing(e)]
        if nearly := next(filter(beside_number, words), None):
            reason += f", with {beside_number(nearly)}, such as {shortened(nearly)} ({place(row)})"
            fix = PLAIN[0].upper() + PLAIN[1:]
            return Detection((*reversed(OF_RESIDUES),), reason, asks=True, fix=fix)
        numbers = [word for word in words if is_numeral(word)]
        if any(len(number) > 1 for number in numbers) and len(numbers) < len(words):
            word = next(word for word in words if not is_numeral(word))
            reason += f", with numbers such as {numbers[0]} and words such as {shortened(word)}"
            return Detection((*reversed(OF_RESIDUES),), f"{reason} ({place(row)})")
    return Detection(("residue",), reason)


def _of_fitting(labels: Sequence[str], lengths: Sequence[int], place: Place) -> Detection:
    """Labels as long as their sequences: characters, or numbers, which may name classes."""
    reason, numbers = "as long as their sequences", residue_numbers(labels, lengths)
    if are_rounded(labels):
        reason += ", but every digit after the 15th is 0: a spreadsheet has rounded them"
        fix = "Write labels of residues as text, such as HHE or 0 1 1 0"
        return Detection(("residue",), reason, asks=True, fix=fix)
    if not numbers:
        return _of_characters(labels, lengths, place)
    if columns_of(labels) and len({*lengths}) == 1:
        reason = f"lists of 0 and 1, {reason}: columns of classes, or labels of residues"
        return Detection(("multilabel", *OF_RESIDUES), reason)
    reason = f"lists of numbers {reason}"
    if not are_whole(numbers) or len(numbers) > MOST_CLASSES:
        return Detection(("residue-regression",), reason)
    return Detection(OF_RESIDUES, f"{reason}: {len(numbers):,} different whole numbers")


def _of_odd_ones(column: Column, *, pairs: bool) -> Detection | None:
    """Labels of one kind, except for very few that may be mistakes."""
    kinds: list[tuple[str, str, Callable[[str], bool]]] = [
        ("binary", "yes or no", lambda text: is_yes(text) is not None)
    ]
    if not pairs and any(map(GROUP_WITH_ORDER.fullmatch, column.counts)):
        kinds.append(("symmetry", "symmetry groups", _is_group))
    for task, words, fits in kinds:
        odd = [text for text in column.counts if not fits(text)]
        unknown = all(map(looks_missing_label, odd)) and len(odd) < len(column.counts)
        alike = all(fits(spelling_key(text)) for text in odd)
        if not odd or not (unknown or alike or column.has_few(odd)):
            continue
        if any(SEPARATORS.search(text) or label_list(text) for text in odd):
            continue
        others = f" and {len(odd) - 1:,} more" if len(odd) > 1 else ""
        reason = f"{words}, except {shortened(odd[0])} ({column.where(odd[0])}){others}"
        reason += ", which looks like a missing value" if unknown else ""
        values = all(map(is_number, column.counts))
        other = ("multiclass", "regression") if values else ("multiclass",)
        return Detection((task, *other), reason)
    return None


def _is_group(text: str) -> bool:
    return {group.upper() for group in split_groups(text)} <= SCHOENFLIES


def _of_groups(column: Column) -> Detection | None:
    """Symmetry groups."""
    groups = {group.upper() for text in column.counts for group in split_groups(text)}
    if groups <= SCHOENFLIES and any(map(GROUP_WITH_ORDER.fullmatch, groups)):
        return Detection(("symmetry",), f"symmetry groups ({', '.join(sorted(groups)[:3])}, …)")
    return None


def _of_sites(column: Column, lengths: Sequence[int] | None) -> Detection | None:
    """Whole numbers, all within their own sequences but not within the shortest one."""
    several = next((text for text in column.counts if _is_span(text)), None)
    several = several or next(
        (text for text in column.counts if len(split_classes(text)) > 1), None
    )
    if lengths is None or several is None:
        return None
    last = []
    for text in column.rows:
        ends = [_last_site(name) for name in split_classes(text)]
        if None in ends:
            return None
        last.append(max(filter(None, ends), default=0))
    if any(map(operator.gt, last, lengths)):
        return None
    if max(last) <= min(lengths) and not _is_span(several):
        return None
    what = "spans" if _is_span(several) else "sets of whole numbers"
    reason = f"{what}, none beyond the end of its sequence: sites, or classes"
    example = f"{shortened(several)}, {column.where(several)}"
    fix = "Write sites as one character per residue, such as 00100"
    return Detection(("multilabel", "residue"), f"{reason} ({example})", asks=True, fix=fix)


def _is_span(text: str) -> bool:
    return any(not name.isdigit() and _last_site(name) for name in split_classes(text))


def _last_site(name: str) -> int | None:
    """Return the last residue of a site or a span, such as `5-10`; None for other texts."""
    found = SITES.fullmatch(name)
    if found is None or TOO_MANY_DIGITS.fullmatch(found[1]):
        return None
    first, last = int(found[1]), int(found[2] or found[1])
    return last if found[2] is None or 0 < first < last else None


def _of_sets(column: Column) -> Detection | None:
    """Several classes in one cell: names, or 0 and 1 for each class."""
    lists = {text: found for text in column.counts if (found := label_list(text))}
    several = [text for text in column.counts if text in lists or SEPARATORS.search(text)]
    if not any(text not in lists or lists[text].marked for text in several):
        return None
    columns = columns_of(column.counts)
    if columns:
        reason = f"0 or 1 for each of {count_of(columns, 'class')} ({shortened(several[0])})"
        return Detection(("multilabel",), reason)
    for text, found in lists.items():
        numbers = found.are_numbers and len(found.entries) > 1
        if numbers and (repeated_numbers(found.entries) or not are_whole(found.entries)):
            reason = "lists of numbers, neither one per residue nor 0 and 1 of one length"
            example = f"{shortened(text)}, {column.where(text)}"
            return Detection(("residue-regression", "multilabel"), f"{reason} ({example})", True)
    names = {name for text in column.counts for name in split_classes(text)}
    count = sum(column.counts[text] for text in several)
    has_sets = lists or NONE in map(str.lower, column.counts)
    if count <= ODD_SHARE * len(column.rows) and not has_sets:
        rows = count_of(count, "row")
        example = f"{shortened(several[0])}, {column.where(several[0])}"
        reason = f"single classes, except {rows} with a separator in the label ({example})"
        return Detection(("multilabel", "multiclass"), reason)
    reason = f"sets of {count_of(len(names), 'class')} ({shortened(several[0])})"
    return Detection(("multilabel",), reason)


def _of_words(column: Column) -> Detection:
    distinct, rows = list(column.counts), len(column.rows)
    numbers = [text for text in distinct if is_number(text)]
    if numbers:
        words = [text for text in distinct if text not in set(numbers)]
        others = f"{len(words):,} different texts" if len(words) > 1 else "one text"
        example = f"{shortened(words[0])} ({column.where(words[0])})"
        reason = f"numbers such as {numbers[0]} and {others} such as {example}"
        return Detection(("multiclass", "regression"), reason)
    if 2 * len(distinct) > rows > 3:
        example = shortened(distinct[0])
        reason = f"{len(distinct):,} different texts in {rows:,} rows (such as {example})"
        return Detection(("multiclass", "multilabel"), reason)
    words = count_of(len(distinct), "different word") if len(distinct) > 1 else "all the same word"
    return Detection(("multiclass",), words)
