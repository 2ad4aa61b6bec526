"""Proteins of later parts that are similar to a protein in train."""

from dataclasses import dataclass

import numpy as np

from peftide.auditing.subject import Subject
from peftide.auditing.verdict import Severity, Verdict, share
from peftide.similarity import Hits, SimilaritySettings, best_hits
from peftide.types import IntArray

MANY_SIMILAR = 0.05
"""Share of a part's proteins with a similar protein in train at which this is a leak."""


@dataclass(frozen=True)
class Kinship:
    """Similar proteins across parts.

    Attributes
    ----------
    settings
        Settings that decide whether two proteins are similar.
    hits
        Queries are distinct sequences of later parts that are not in train; targets are the
        sequences of train. Both are numbers in the subject. Each query has only its best hit.
    """

    settings: SimilaritySettings
    hits: Hits


def find_kinship(subject: Subject, settings: SimilaritySettings) -> Kinship:
    """Search train for proteins similar to those in later parts; skip identical ones."""
    train = subject.proteins("train")
    later = np.unique(np.concatenate([subject.proteins(part) for part in subject.later]))
    own = np.setdiff1d(later, train)
    texts = subject.sequences
    found = best_hits([texts[n] for n in own], [texts[n] for n in train], settings)
    columns = (found.identity_fraction, found.query_coverage_fraction)
    columns += (found.target_coverage_fraction, found.score)
    return Kinship(settings, Hits(own[found.query], train[found.target], *columns, found.tool))


APART = "Split by similarity cluster, or report the score without these rows"
VARIANTS = (
    "Split by similarity cluster. If these are variants of one protein, no split can separate "
    "them, and the score is about its further variants, not about other proteins"
)


def similar_proteins(subject: Subject, part: str, kinship: Kinship) -> Verdict:
    """Count the proteins of a part that are similar to one in train, and the affected rows."""
    proteins, best = subject.proteins(part), kinship.hits
    rule = f"{kinship.settings} ({kinship.hits.tool})"
    known = np.isin(best.query, proteins)
    similar, closest = best.query[known], best.take(known)
    if not len(similar):
        text = f"no protein is similar to one in train by {rule}"
        return Verdict(part, "similar_proteins", "ok", text)
    rows = np.isin(subject.members(part), similar).any(axis=1)
    severity: Severity = "leak" if len(similar) > MANY_SIMILAR * len(proteins) else "warning"
    return Verdict(
        part,
        "similar_proteins",
        severity,
        f"{share(len(similar), len(proteins), 'proteins')} are similar to one in train by {rule}; "
        f"{rows.mean():.1%} of the {subject.what} contain such a protein",
        VARIANTS if len(similar) == len(proteins) else APART,
        {
            "count": len(similar),
            "proteins": len(proteins),
            "rows": int(rows.sum()),
            "at_least_40_percent": int((closest.identity_fraction >= 0.4).sum()),
            "highest_identity": float(closest.identity_fraction.max()),
        },
        _examples(subject, closest),
    )


def _examples(subject: Subject, hits: Hits) -> tuple[str, ...]:
    """Return the three closest pairs as text."""
    first: IntArray = np.argsort(-hits.identity_fraction, kind="stable")[:3]
    return tuple(
        f"{subject.name(int(hits.query[n]))} ~ {subject.name(int(hits.target[n]))} "
        f"({hits.identity_fraction[n]:.0%})"
        for n in first
    )
