"""Times, sizes and other numbers as text for people."""

import re

BYTES_PER_GB = 1e9
BYTES_PER_MB = 1e6
BYTES_PER_KB = 1e3
SECONDS_BELOW_TENTHS = 10
PLURAL = re.compile(r"(?<!u)s$")
"""Words such as `synonymous` end with an s without being plural."""
HYPHENATED = ("over long", "held out", "nucleotide like", "formula like")
"""Words in names of findings that are one adjective."""
PREPOSITIONS = frozenset({"by", "for", "in", "like", "of", "with"})


def duration(seconds: float) -> str:
    """Return a time in hours, minutes and seconds.

    Examples
    --------
    >>> duration(3.74), duration(42.2), duration(234), duration(9000), duration(float("inf"))
    ('3.7 s', '42 s', '3 min 54 s', '2 h 30 min', 'unknown time')
    """
    if seconds == float("inf"):
        return "unknown time"
    if round(seconds, 1) < SECONDS_BELOW_TENTHS:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def byte_size(count: float) -> str:
    """Return bytes in GB, MB, kB or B (powers of ten).

    Examples
    --------
    >>> byte_size(4.91e9), byte_size(613642240), byte_size(52_300), byte_size(812)
    ('4.9 GB', '614 MB', '52 kB', '812 B')
    """
    if count >= BYTES_PER_GB:
        return f"{count / BYTES_PER_GB:.1f} GB"
    if count >= BYTES_PER_MB:
        return f"{count / BYTES_PER_MB:.0f} MB"
    return f"{count / BYTES_PER_KB:.0f} kB" if count >= BYTES_PER_KB else f"{count:.0f} B"


def count_of(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural unless the count is 1.

    Examples
    --------
    >>> count_of(1, "row"), count_of(1234, "protein"), count_of(3, "class"), count_of(9, "epoch")
    ('1 row', '1,234 proteins', '3 classes', '9 epochs')
    """
    return f"{count:,} {noun}{_plural_ending(noun) if count != 1 else ''}"


def _plural_ending(noun: str) -> str:
    return "es" if noun.endswith(("s", "x", "tch", "sh")) else "s"


def count_of_kind(count: int, kind: str) -> str:
    """Return a count with the name of its kind, which is in the plural and has underscores.

    Examples
    --------
    >>> count_of_kind(2, "repeated_ids"), count_of_kind(1, "repeated_ids")
    ('2 repeated ids', '1 repeated id')
    >>> count_of_kind(1, "rows_of_unknown_classes"), count_of_kind(1, "similar_classes")
    ('1 row of unknown classes', '1 similar class')
    >>> count_of_kind(1, "synonymous_rows")
    '1 synonymous row'
    >>> count_of_kind(2, "over_long_sequences"), count_of_kind(1, "nucleotide_like_sequences")
    ('2 over-long sequences', '1 nucleotide-like sequence')
    """
    name = kind.replace("_", " ")
    for apart in HYPHENATED:
        name = name.replace(apart, apart.replace(" ", "-"))
    words = name.split(" ")
    noun = next((k for k, word in enumerate(words) if word in PREPOSITIONS), len(words))
    plural = next((k for k, word in enumerate(words[:noun]) if PLURAL.search(word)), None)
    if count == 1 and plural is not None:
        words[plural] = words[plural].removesuffix("es" if words[plural].endswith("sses") else "s")
    return f"{count:,} {' '.join(words)}"


def number(value: float) -> str:
    """Return a number of any size with four significant digits; whole numbers in full.

    Examples
    --------
    >>> number(1234567), number(0.012345), number(12.0), number(-3.25)
    ('1,234,567', '0.01235', '12', '−3.25')
    """
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")
