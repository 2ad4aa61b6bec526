"""One verdict: the kind of check, its severity, the size of the problem, and the advice."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from peftide.quantities import count_of, count_of_kind

Severity = Literal["ok", "note", "warning", "leak"]


@dataclass(frozen=True)
class Verdict:
    """The result of one check of one part.

    Attributes
    ----------
    part
        "train", "validation", "test", … or "sequences".
    kind
        Stable snake_case name, for scripts.
    severity
        "ok": checked and not found; "note": good to know; "warning": scores may mislead;
        "leak": training saw scored proteins or rows.
    text
        The finding with its size, for people.
    advice
        The recommended action; empty if none is needed.
    numbers
        The sizes of the finding by name, for scripts.
    examples
        At most three examples.
    """

    part: str
    kind: str
    severity: Severity
    text: str
    advice: str = ""
    numbers: Mapping[str, float | None] = field(default_factory=dict)
    examples: tuple[str, ...] = ()


def conclusion(severities: Iterable[str], *, searched: bool, compared: bool = True) -> str:
    """Return the number of verdicts of each severity, in words; "ok" is not counted.

    Without a search for similar proteins, "no leak" covers identical sequences and rows only.
    Without a second part, nothing was compared, and there is no such verdict.

    Examples
    --------
    >>> conclusion(["warning", "ok", "note", "warning"], searched=True)
    'no leak; 2 warnings, 1 note'
    >>> conclusion(["ok", "note"], searched=False)
    'no leak among identical sequences; 1 note; similar proteins were not searched'
    >>> conclusion(["leak"], searched=False)
    '1 leak; similar proteins were not searched'
    >>> conclusion(["ok"], searched=True, compared=False)
    'nothing was compared: train is the only part'
    """
    counts = Counter(severities)
    listed = ", ".join(
        count_of(counts[severity], severity)
        for severity in ("leak", "warning", "note")
        if counts[severity]
    )
    none = "no leak" if searched else "no leak among identical sequences"
    none = none if compared else "nothing was compared: train is the only part"
    said = [] if counts["leak"] else [none]
    said += [listed] if listed else []
    return "; ".join(said if searched else [*said, UNSEARCHED])


UNSEARCHED = "similar proteins were not searched"


def share(count: int, of: int, what: str) -> str:
    """Return a count with its share, in words.

    Examples
    --------
    >>> share(1950, 2317, "proteins")
    '1,950 of 2,317 proteins (84.2%)'
    >>> share(1, 4000, "pairs")
    '1 of 4,000 pairs (0.03%)'
    """
    fraction = count / of if of else 0.0
    digits = 2 if 0 < fraction < 0.001 else 1
    return f"{count:,} of {count_of_kind(of, what)} ({fraction:.{digits}%})"
