"""Records of interactions, in any order and number → one row per pair."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

Counts = Counter[str]
"""Why records were left out → how many."""


@dataclass(frozen=True)
class PairRecord:
    """One line of an export.

    Attributes
    ----------
    id_a, id_b
        Both proteins.
    score
        Confidence in the units of the source; None if it has none.
    interacts
        False for a pair that was tested and does not interact.
    """

    id_a: str
    id_b: str
    score: float | None = None
    interacts: bool = True


def merge_pairs(records: Iterable[PairRecord], counts: Counts, *, keep_self: bool) -> pd.DataFrame:
    """Return one row per unordered pair: `id_a`, `id_b`, `label`, `score`, `records`.

    The score is the highest of the pair's records. Pairs that are reported as interacting and as
    not interacting are left out.

    Parameters
    ----------
    counts
        Gets the reasons for which records are left out here.
    keep_self
        Whether pairs of a protein with itself stay.

    Examples
    --------
    >>> found = [PairRecord("B", "A", 0.4), PairRecord("A", "B", 0.9), PairRecord("A", "A")]
    >>> merge_pairs(found, Counter(), keep_self=False).values.tolist()
    [['A', 'B', 1, 0.9, 2]]
    """
    labels: dict[tuple[str, str], set[bool]] = {}
    scores: dict[tuple[str, str], float] = {}
    numbers: Counter[tuple[str, str]] = Counter()
    for record in records:
        if record.id_a == record.id_b and not keep_self:
            counts["a protein with itself"] += 1
            continue
        pair = (min(record.id_a, record.id_b), max(record.id_a, record.id_b))
        labels.setdefault(pair, set()).add(record.interacts)
        numbers[pair] += 1
        if record.score is not None:
            scores[pair] = max(record.score, scores.get(pair, record.score))
    rows = []
    for pair in sorted(labels):
        if len(labels[pair]) > 1:
            counts["reported as interacting and as not interacting"] += numbers[pair]
        else:
            rows.append((*pair, int(True in labels[pair]), scores.get(pair), numbers[pair]))
    return pd.DataFrame(rows, columns=["id_a", "id_b", "label", "score", "records"])
