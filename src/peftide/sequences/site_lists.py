"""Words such as `1,5-9` come in; numbers of sites go out."""

import re
from collections.abc import Iterable

from peftide.errors import LONGEST_NAME, cropped, raise_problems

RANGE = re.compile(r"(-?\d{1,9})(?:-(-?\d{1,9}))?", re.ASCII)


def read_sites(words: Iterable[str], *, length: int, offset: int, where: str) -> set[int]:
    """Return the sites that words name, counted from residue 1 of the wild type.

    Parameters
    ----------
    words
        Numbers and ranges, as numbered in the tables.
    length
        Residues of the wild type.
    offset
        Number to subtract.
    where
        Option, for messages.

    Raises
    ------
    InputError
        If a word is no site or range, or is outside the protein.

    Examples
    --------
    >>> sorted(read_sites(["1", "5-7"], length=9, offset=0, where="--sites"))
    [1, 5, 6, 7]
    """
    sites: set[int] = set()
    problems = []
    for word in words:
        found = RANGE.fullmatch(word.strip())
        first = int(found[1]) - offset if found else 0
        last = int(found[2]) - offset if found and found[2] else first
        if 0 < first <= last <= length:
            sites.update(range(first, last + 1))
            continue
        received = cropped(word, LONGEST_NAME)
        problems.append(
            f"{where}: received {received!r}; expected sites such as 5 or 5-9, from {1 + offset} "
            f"to {length + offset}"
        )
    raise_problems(problems)
    return sites
