"""Text of a label comes in; why it is nearly a number goes out, such as `45%` or `1,5`.

Spreadsheets make dates of texts such as `1-2`, `1.2` or `SEPT2`.
"""

import re

UNSIGNED = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
NUMBER = rf"[+-]?{UNSIGNED}"
UNITS = r"[pnuµμm]?M|k?Da|°?C|K|%|kcal/mol|kJ/mol|m?g/m?l|ms|s|min|h|Å|nm|bp|aa"
TYPES = r"(?:np\.)?(?:float|int|tensor|array|Decimal)\d*"
SIGNS = r"[<>≤≥~≈=$€£'\"]"
MONTH = r"(?i:jan|feb|mar|mär|mrz|apr|may|mai|jun|jul|aug|sept?|oct|okt|nov|dec|dez)\.?"
MONTH_DATE = rf"\d{{1,2}}[-./ ]\s?{MONTH}(?:[-./ ]\d{{2,4}})?|{MONTH}[-./ ]\d{{2,4}}"
DATE = re.compile(
    rf"{MONTH_DATE}|\d{{4}}-\d\d-\d\d(?:[T ][\d:.]+)?|\d{{1,2}}[/.]\d{{1,2}}[/.](?:19|20)\d\d"
)
MADE_BY_SPREADSHEETS = "spreadsheets make dates of names such as SEPT2 or 1-2"
KINDS = {
    name: re.compile(pattern)
    for name, pattern in {
        "a comma": r"[+-]?\d+([.,]\d{3})*,\d+(\.\d+)?([eE][+-]?\d+)?",
        "signs between thousands": r"[+-]?\d{1,3}(?:[\s'’_]\d{3})+(?:[.,]\d+)?",
        "a percent sign": rf"{NUMBER}\s*[%‰]",
        "a power of ten": rf"{NUMBER}\s*[xX×*·]\s*10\s*\^?\s*[+-]?\d+|[+-]?\d+\.\d*[dD][+-]?\d+"
        rf"|{NUMBER}(?:\s*[xX×*·]\s*10)?[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+",
        "a unit": rf"[+-]?\d*\.\d+\s*[^\W\d_]\S*|{NUMBER}\s*(?:{UNITS})|{NUMBER}\s*°\S*",
        "a sign in front": rf"{SIGNS}+\s*{NUMBER}['\"]?",
        "another sign for minus": rf"[−–—‐‑]\s*{UNSIGNED}",
        "a mark behind": rf"{NUMBER}\s*[*†‡#^]+",
        "an uncertainty": rf"{NUMBER}\s*(?:±|\+/?-)\s*{NUMBER}|{NUMBER}\s*\(\s*{NUMBER}\s*\)",
        "brackets": rf"[\[(]\s*{NUMBER}\s*,?\s*[\])]",
        "the name of a type": rf"{TYPES}\([\[('\s]*{NUMBER}[\])'\s]*(?:,\s*\w+\s*=.*)?\)",
        "hexadecimal digits": r"0[xX][0-9a-fA-F]+",
        "an infinite value": r"[+-]?inf(?:inity)?",
        "a point in the middle": r"[+-]?\d+[·•]\d+",
        "the form of a date": MONTH_DATE,
        "a note behind": rf"{NUMBER}\s*[(\[].*[)\]]",
    }.items()
}
"""What a text has beside a plain number, and the texts that have it."""
LISTS = ("a comma", "signs between thousands", "brackets")
"""Kinds that may also be sets of numbers."""
PLAIN = "write plain numbers with a point for decimals, as 1234.5"


def beside_number(text: str) -> str | None:
    """Return what a text has beside a number; None if it is a plain number or nothing like one.

    Examples
    --------
    >>> beside_number("45%"), beside_number("1 234"), beside_number("1.5 nM")
    ('a percent sign', 'signs between thousands', 'a unit')
    >>> beside_number("1234.5"), beside_number("3.4.21.4"), beside_number("14-3-3")
    (None, None, None)
    """
    text = text.strip()
    if re.fullmatch(NUMBER, text):
        return None
    return next((name for name, kind in KINDS.items() if kind.fullmatch(text)), None)


def looks_like_date(text: str) -> bool:
    """Return whether a text has the form of a date, as spreadsheets write it.

    Examples
    --------
    >>> [looks_like_date(text) for text in ("2-Sep", "Mrz 01", "2024-06-30", "SEPT2", "14-3-3")]
    [True, True, True, False, False]
    """
    return bool(DATE.fullmatch(text.strip()))
