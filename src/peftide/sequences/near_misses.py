"""Names of classes come in; names that differ only in their spelling go out as a finding."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

from peftide.sequences.label_lists import NUMBER
from peftide.sequences.lookalikes import in_latin, strange_letters
from peftide.sequences.near_numbers import MADE_BY_SPREADSHEETS, looks_like_date
from peftide.sequences.records import Finding
from peftide.sequences.tallies import SHOWN_EXAMPLES

DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
BLANKS = re.compile(r"[\s_]+|(?<=[^\W\d])-(?=[^\W\d])")
"""Blanks, underscores, and dashes between letters; in `-1` and `IL-2`, a dash has a meaning."""


def spelling_key(name: str) -> str:
    """Return a text that is equal for names that differ only in their spelling.

    Case, blanks, underscores, dashes between letters, the kind of other dashes, invisible
    characters, letters of another script that look alike, and the form of a number make no
    difference.

    Examples
    --------
    >>> spelling_key("DNA binding") == spelling_key("dna_Binding "), spelling_key("1.0")
    (True, '1.0')
    """
    text = DASHES.sub("-", in_latin(name))
    text = BLANKS.sub("", "".join(c for c in text if unicodedata.category(c) != "Cf"))
    return repr(float(text)) if NUMBER.fullmatch(text) else text


def similar_names(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the groups of different names that differ only in their spelling.

    Examples
    --------
    >>> similar_names(["Nucleus", "cytosol", "nucleus"])
    [('Nucleus', 'nucleus')]
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(names):
        groups[spelling_key(name)].append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def similar_classes(part: str, named: Iterable[str], known: Collection[str]) -> tuple[Finding, ...]:
    """Count classes that differ only in their spelling, and dates; nothing is merged.

    Parameters
    ----------
    named
        Class of each row of the part; a row may name several.
    known
        Classes of the training part. Of other parts, only classes that it lacks are judged.
    """
    counts = Counter(named)
    strange = counts.keys() - set(known)
    groups = [
        group
        for group in similar_names([*known, *counts])
        if any(name in counts for name in group) and (part == "train" or strange & {*group})
    ]
    if not groups:
        return _dates(part, counts)
    shown = [
        " / ".join(f"{name!r} ({_note(name)}{counts[name]:,})" for name in group)
        for group in groups[:SHOWN_EXAMPLES]
    ]
    decision = (
        f"{'; '.join(shown)}: they differ only in case, blanks, signs or letters that look alike, "
        "and stay separate; if they are one class, correct the labels"
    )
    return (
        Finding(part, "similar_classes", sum(map(len, groups)), decision),
        *_dates(part, counts),
    )


def _dates(part: str, counts: Mapping[str, int]) -> tuple[Finding, ...]:
    """Count rows of classes that look like dates."""
    dates = [name for name in counts if looks_like_date(name)]
    if not dates:
        return ()
    shown = ", ".join(map(repr, dates[:SHOWN_EXAMPLES]))
    decision = f"rows of the classes {shown}, which stay as they are: {MADE_BY_SPREADSHEETS}"
    return (Finding(part, "classes_like_dates", sum(counts[name] for name in dates), decision),)


def _note(name: str) -> str:
    strange = strange_letters(name)
    return f"with {strange}; " if strange else ""
