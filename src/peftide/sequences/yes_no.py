"""Spellings of positive and negative binary labels."""

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
