"""The text of a label cell comes in; the entries of the list that it holds go out.

Lists as programs write them: `['a', 'b']`, `{"a", "b"}`, `set()`, `array([1, 0])`, `[1 0 1]`,
`1,0,1`; and as people write them: `a; b`.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from peftide.sequences.missing import looks_missing

CLOSING = {"[": "]", "(": ")", "{": "}"}
WRAPPED = re.compile(
    r"(?:\w+\.)*(?:array|set|frozenset|list|tuple|tensor|Index|Series|dict_keys|dict_values|deque"
    r"|OrderedSet)\("
    r"\s*(?P<inner>[\[({].*[\])}])?\s*(?:,\s*\w+\s*=[^\[]*)?\)",
    re.DOTALL,
)
"""A list inside the name of its type, maybe with a `dtype`."""
IN_R = re.compile(r"(?:c|list)\(\s*([\"'].*|[\d.+-][^()]*)\)|character\(0\)", re.DOTALL)
"""A vector as R writes it: `c("a", "b")`."""
PROGRAM = re.compile(r"[A-Za-z_][\w.]*\(\s*[\[({<].*[\])}]\s*\)|.*\bdtype: \w+", re.DOTALL)
"""An object that is no list: `Counter({'a': 1})`, or the rows of a pandas Series."""
NUMPY_SCALAR = re.compile(r"(?:np|numpy)\.\w+\(([^()]*)\)")
QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
QUOTED_OR_BARE = re.compile(rf"\s*(?:({QUOTED})|([^\s,;'\"]+))\s*(?:[,;]|(?=['\"])|$)|(\s*$)")
MAPPING = re.compile(rf"\{{\s*(?:{QUOTED}|\w+)\s*:")
ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
DECIMAL_COMMAS = re.compile(r"(?=[^,]*\d,\d)[+-]?\d+([.,]\d+)?(\s*[;|\s]\s*[+-]?\d+([.,]\d+)?)+")
SEPARATORS = re.compile(r"[;,|]")
SIGN = re.compile(r"[^\w\s]")
ELLIPSES = ("...", "…")
NONE = "none"
"""The word for an empty set, in tables and predictions: an empty cell may be a forgotten one."""
BITS = {"1": 1, "1.": 1, "1.0": 1, "true": 1, "0": 0, "0.": 0, "0.0": 0, "false": 0}
CUT = "was cut when it was written: the list is not whole"
COMMAS = "has commas for the decimal point, or two separators: write numbers as 0.5"
WRITE_WHOLE = (
    "Write each list whole, for instance with semicolons between its entries: ';'.join(map(str, x))"
)
"""Advice for a list that cannot be read."""


@dataclass(frozen=True)
class LabelList:
    """The list in one cell.

    Attributes
    ----------
    entries
        The entries as text, without quotes.
    fault
        The reason why the list cannot be read, as the end of a sentence; empty if it can.
    marked
        Whether brackets, quotes or commas leave no doubt that the cell is a list. `[2Fe-2S]` may
        be a name.
    open_end
        Whether a separator follows the last entry.
    """

    entries: tuple[str, ...] = ()
    fault: str = ""
    marked: bool = True
    open_end: bool = False

    @property
    def are_numbers(self) -> bool:
        """Whether all entries are numbers or missing, and at least one is a finite number."""
        known = [entry for entry in self.entries if not is_missing(entry)]
        return any(map(NUMBER.fullmatch, known)) and all(map(is_numeral, known))

    @property
    def bits(self) -> tuple[int, ...] | None:
        """The entries as 0 and 1; None if one is neither."""
        found = [BITS.get(entry.lower()) for entry in self.entries]
        return None if None in found else tuple(bit for bit in found if bit is not None)


def label_list(text: str) -> LabelList | None:
    """Return the list that a cell holds; None if the cell holds a word or one number.

    Examples
    --------
    >>> label_list("['PF1', 'PF2']").entries, label_list("[1 0 1]").entries
    (('PF1', 'PF2'), ('1', '0', '1'))
    >>> label_list("[0 0 ... 0]").fault
    'was cut when it was written: the list is not whole'
    >>> label_list("nucleus") is None, label_list("0.5").entries if label_list("0.5") else None
    (True, None)
    """
    body = NUMPY_SCALAR.sub(r"\1", text.strip())
    wrapped, in_r = WRAPPED.fullmatch(body), IN_R.fullmatch(body)
    if wrapped is not None:
        body = wrapped["inner"] or "[]"
    elif in_r is not None:
        body = f"[{in_r[1] or ''}]"
    elif PROGRAM.fullmatch(body):
        return LabelList(fault="is an object of a program, not a list of classes")
    if DECIMAL_COMMAS.fullmatch(body.strip("[](){} ")):
        return LabelList(fault=COMMAS)
    if body[:1] in CLOSING and body.endswith(CLOSING[body[0]]) and len(body) > 1:
        return _inside_brackets(body)
    if _is_open(body):
        return LabelList(fault=CUT)
    return _bare_numbers(body)


def list_fault(text: str) -> str:
    """Return the reason why a label is a list that cannot be read; empty if there is none.

    Examples
    --------
    >>> list_fault("[[1, 0]]"), list_fault("[heme binding]"), list_fault("nucleus")
    ('is a list of lists', '', '')
    """
    found = label_list(text)
    return found.fault if found is not None and found.marked else ""


def is_numeral(entry: str) -> bool:
    """Return whether an entry is a number, maybe an infinite one.

    Examples
    --------
    >>> is_numeral("-1e3"), is_numeral("inf"), is_numeral("a")
    (True, True, False)
    """
    return bool(NUMBER.fullmatch(entry) or INFINITE.fullmatch(entry))


def is_missing(entry: str) -> bool:
    """Return whether an entry of a list stands for a missing value; a sign may name a class.

    Examples
    --------
    >>> is_missing("NaN"), is_missing(""), is_missing("0"), is_missing("-")
    (True, True, False, False)
    """
    if entry[-1:].isdigit() or SIGN.fullmatch(entry):
        return False
    return looks_missing(entry)


def split_classes(text: str) -> list[str]:
    """Return the classes that a cell names, in its order.

    Examples
    --------
    >>> split_classes("nucleus; cytosol"), split_classes("None"), split_classes("['a,b', 'c']")
    (['nucleus', 'cytosol'], [], ['a,b', 'c'])
    """
    found = label_list(text)
    words = SEPARATORS.split(text) if found is None else found.entries
    stripped = [word.strip() for word in words]
    return [word for word in stripped if word and word.lower() != NONE]


def columns_of(labels: Iterable[str]) -> int:
    """Return the number of columns if each label is a list of 0 and 1 of one length, else 0.

    Empty sets are left out of the comparison.

    Examples
    --------
    >>> columns_of(["1,0,1", "[0 0 1]", "none"]), columns_of(["1,0", "1"]), columns_of(["a;b"])
    (3, 0, 0)
    """
    lengths = set()
    for text in dict.fromkeys(labels):
        found = label_list(text)
        if is_empty_set(text, found):
            continue
        if found is None or found.bits is None:
            return 0
        lengths.add(len(found.bits))
    return lengths.pop() if len(lengths) == 1 and max(lengths) > 1 else 0


def is_empty_set(text: str, found: LabelList | None) -> bool:
    """Return whether a cell is `none`, or a list without entries."""
    if found is None:
        return text.strip().lower() == NONE
    return not (found.entries or found.fault)


def list_text(cell: Any) -> str:
    """Return a list, set or array in a cell of a DataFrame as text, whole; other cells as they are.

    Examples
    --------
    >>> list_text(np.array([0.5, 1.0])), list_text({"b", "a"}), list_text("a")
    ('[0.5, 1.0]', '["a", "b"]', 'a')
    """
    if isinstance(cell, set | frozenset):
        cell = sorted(cell, key=str)
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    if not isinstance(cell, list | tuple):
        return str(cell)
    return "[" + ", ".join(map(_entry_text, cell)) + "]"


def _entry_text(entry: Any) -> str:
    if isinstance(entry, str):
        return json.dumps(entry, ensure_ascii=False)
    return list_text(entry.item() if isinstance(entry, np.generic) else entry)


def _inside_brackets(text: str) -> LabelList:
    body = text[1:-1].strip()
    if _is_cut(body):
        return LabelList(fault=CUT)
    if MAPPING.match(text):
        return LabelList(fault="is a mapping, not a list")
    if ("'" in body or '"' in body) and (found := _with_quotes(body)):
        return found
    if body[:1] in CLOSING and body[-1:] in CLOSING.values():
        return LabelList(fault="is a list of lists")
    found = _unquoted_entries(body)
    if found.are_numbers or found.bits is not None:
        return found
    if len(found.entries) > 1 and not any(mark in body for mark in ",;|"):
        fault = "is a list of words with blanks between them: one name or several?"
        return LabelList(fault=fault, marked=False)
    return replace(found, marked=len(found.entries) > 1)


def _with_quotes(body: str) -> LabelList | None:
    """Return a list with quotes; None if the quotes may be signs of names."""
    entries = _quoted_entries(body)
    if entries is not None:
        return LabelList(entries)
    if body[0] in CLOSING or not any(mark in re.sub(QUOTED, "", body) for mark in "[{"):
        return None
    return LabelList(fault="is a list that holds a list or a mapping")


def _quoted_entries(body: str) -> tuple[str, ...] | None:
    """Return the entries of a list with quotes; None if they do not fill it."""
    entries, position = [], 0
    while position < len(body):
        found = QUOTED_OR_BARE.match(body, position)
        if found is None or found.end() == position:
            return None
        if found[3] is None:
            entries.append(found[2] if found[1] is None else _unquoted(found[1]))
        position = found.end()
    return tuple(entries)


def _unquoted(text: str) -> str:
    """Return a quoted text as it was before a program quoted it."""
    named = {"n": "\n", "t": "\t", "r": "\r"}

    def character(found: re.Match[str]) -> str:
        code = found[1]
        return chr(int(code[1:], 16)) if len(code) > 1 else named.get(code, code)

    return ESCAPE.sub(character, text[1:-1])


def _unquoted_entries(body: str) -> LabelList:
    """Return entries between commas, semicolons or bars, else between blanks.

    One separator at the end ends the list, as in `(a,)`.
    """
    separator = next((mark for mark in ",;|" if mark in body), None)
    if separator is None:
        return LabelList(tuple(body.split()))
    entries = tuple(entry.strip() for entry in body.split(separator))
    return LabelList(entries if entries[-1] else entries[:-1], open_end=not entries[-1])


def _bare_numbers(text: str) -> LabelList | None:
    """Return a list without brackets: only numbers and missing values can be told from words."""
    found = _unquoted_entries(text)
    if len(found.entries) < 2:
        return None
    whole = tuple(entry for entry in found.entries if not entry.endswith(ELLIPSES))
    if len(whole) < len(found.entries):
        return LabelList(fault=CUT) if LabelList(whole).are_numbers else None
    return found if found.are_numbers or found.bits else None


def _is_cut(body: str) -> bool:
    unquoted = re.sub(QUOTED, "", body)
    return any(mark in unquoted for mark in ELLIPSES)


def _is_open(text: str) -> bool:
    """Return whether a cell begins as a list and does not end."""
    inside = text[1:].lstrip()
    begun = text[:1] in ("[", "{") and CLOSING[text[:1]] not in text
    return begun and (inside[:1] in "'\"" or inside[:1].isdigit() or inside[:1] in "-+.")


def mask_text(cell: str) -> str:
    r"""Return a mask with a character per residue; one that is a list of 0 and 1 is read as such.

    Examples
    --------
    >>> mask_text("[1, 0]"), mask_text("1 1 0"), mask_text(" 10\n1 "), mask_text("1,x")
    ('10', '110', '101', '1,x')
    """
    found = label_list(cell)
    bits = None if found is None or found.fault else found.bits
    return "".join(cell.splitlines()).strip() if bits is None else "".join(map(str, bits))


def repeated_numbers(entries: Sequence[str]) -> bool:
    """Return whether a list of numbers has one twice, as no set of classes has.

    Examples
    --------
    >>> repeated_numbers(("0", "0", "1")), repeated_numbers(("a", "a"))
    (True, False)
    """
    return len(set(entries)) < len(entries) and all(NUMBER.fullmatch(entry) for entry in entries)
