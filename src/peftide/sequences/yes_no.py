"""Spellings of positive and negative binary labels."""

from collections import Counter
from collections.abc import Sequence

from peftide.sequences.records import Finding

OPPOSITES = {"1": "0", "1.0": "0.0", "true": "false", "yes": "no", "positive": "negative"}
YES = frozenset(OPPOSITES)
NO = frozenset(OPPOSITES.values())


def is_yes(label: str) -> bool | None:
    """Return whether a binary label is positive; None if the label is not binary.

    Examples
    --------
    >>> is_yes("True"), is_yes("0"), is_yes("C2")
    (True, False, None)
    """
    text = label.strip().lower()
    return True if text in YES else False if text in NO else None


def spelling(label: str) -> str:
    """Return the pair of spellings to which a binary label belongs.

    Examples
    --------
    >>> spelling("Yes"), spelling("0.0")
    ('yes/no', '1/0')
    """
    text = label.strip().lower()
    positive = next(yes for yes, no in OPPOSITES.items() if text in (yes, no))
    return f"{positive}/{OPPOSITES[positive]}".replace(".0", "")


def mixed_spellings(part: str, labels: Sequence[str]) -> tuple[Finding, ...]:
    """Count binary labels that are spelled otherwise than most; none if one spelling is used.

    Examples
    --------
    >>> found, = mixed_spellings("train", ["yes", "no", "1", "no"])
    >>> found.count, found.decision
    (1, 'labels spelled 1/0 beside 3 spelled yes/no: read as the same two answers')
    """
    counts = Counter(map(spelling, labels)).most_common()
    if len(counts) < 2:
        return ()
    (usual, most), *others = counts
    named = " and ".join(name for name, _ in others)
    decision = (
        f"labels spelled {named} beside {most:,} spelled {usual}: read as the same two answers"
    )
    return (Finding(part, "mixed_spellings", sum(n for _, n in others), decision),)


def opposite(label: str) -> str:
    """Return the negative label in the same spelling as a positive label.

    Examples
    --------
    >>> opposite("1"), opposite("Yes"), opposite("TRUE")
    ('0', 'No', 'FALSE')
    """
    text = OPPOSITES[label.strip().lower()]
    if label.strip().isupper():
        return text.upper()
    return text.capitalize() if label.strip()[:1].isupper() else text
