"""Text comes in; its letters that only look like Latin ones go out, by name."""

import unicodedata

LATIN = dict(
    zip(
        "авекмнорстухіјѕԁһԛԝӏ" + "αβεζηικμνορτυχ", "abekmhopctyxijsdhqwlabezhikmnoptyx", strict=True
    )
)
"""Cyrillic and Greek letters, in lower case, that look like a Latin letter in either case."""
SHOWN_LETTERS = 3


def in_latin(text: str) -> str:
    r"""Return a text in lower case, with the Latin letter for each that looks like it.

    Examples
    --------
    >>> in_latin("\u0405equence"), in_latin("\uff21\uff22"), in_latin("\u0434\u0430")
    ('sequence', 'ab', 'дa')
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(LATIN.get(letter, letter) for letter in folded)


def strange_letters(text: str) -> str:
    r"""Return the names of invisible letters, and of letters that only look like Latin ones.

    Empty if there are none. Letters of a text without any Latin one look like nothing else.

    Examples
    --------
    >>> strange_letters("y\u0435s"), strange_letters("yes"), strange_letters("\u0434\u0430")
    ('CYRILLIC SMALL LETTER IE', '', '')
    >>> strange_letters("\uff11")
    'FULLWIDTH DIGIT ONE'
    >>> strange_letters("la\u200bbel")
    'ZERO WIDTH SPACE'
    """
    odd = [letter for letter in text if unicodedata.east_asian_width(letter) == "F"]
    odd += [letter for letter in text if unicodedata.category(letter) == "Cf"]
    is_latin = any(letter.isascii() and letter.isalnum() for letter in text)
    alike = [letter for letter in text if letter.casefold() in LATIN] if is_latin else []
    found = [name for name in map(letter_name, dict.fromkeys(odd + alike)) if name]
    more = ", …" if len(found) > SHOWN_LETTERS else ""
    return ", ".join(found[:SHOWN_LETTERS]) + more


def letter_name(letter: str) -> str:
    r"""Return the name of a letter in Unicode; empty if it is ASCII or has none.

    Examples
    --------
    >>> letter_name("\u041c"), letter_name("M")
    ('CYRILLIC CAPITAL LETTER EM', '')
    """
    return "" if letter.isascii() else unicodedata.name(letter, "")
