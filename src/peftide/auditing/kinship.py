"""Proteins of later parts that are similar to a protein in train."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from peftide.auditing.subject import Subject
from peftide.auditing.verdict import Severity, Verdict, share
from peftide.similarity import Hits, SimilaritySettings, best_hits
from peftide.types import FloatArray, IntArray

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


Search = Callable[[Sequence[str], Sequence[str], SimilaritySettings], Hits]
"""(queries, targets, settings) → the best similar target of each query that has one."""


def find_kinship(
    subject: Subject, settings: SimilaritySettings, *, search: Search = best_hits
) -> Kinship:
    """Search train for proteins similar to those in later parts; skip identical ones.

    `peftide audit` and the audit of a training both use this search, so that they agree.
    """
    train = subject.proteins("train")
    later = np.unique(np.concatenate([subject.proteins(part) for part in subject.later]))
    own = np.setdiff1d(later, train)
    texts = subject.sequences
    found = search([texts[n] for n in own], [texts[n] for n in train], settings)
    columns = (found.identity_fraction, found.query_coverage_fraction)
    columns += (found.target_coverage_fraction, found.score)
    return Kinship(settings, Hits(own[found.query], train[found.target], *columns, found.tool))


APART = "Split by similarity cluster, or report the score without these rows"
VARIANTS = (
    "Split by similarity cluster. If these are variants of one protein, no split can separate "
    "them: the score then tells about further variants of this protein, not about other proteins"
)


def similar_proteins(subject: Subject, part: str, kinship: Kinship) -> Verdict:
    """Count the proteins of a part that are similar to one in train, and the affected rows."""
    closest = kinship.hits.take(np.isin(kinship.hits.query, subject.proteins(part)))
    return judged_similar(
        subject,
        part,
        closest.query,
        identities=closest.identity_fraction,
        rule=f"{kinship.settings} ({kinship.hits.tool})",
        examples=_examples(subject, closest),
    )


def judged_similar(
    subject: Subject,
    part: str,
    similar: IntArray,
    *,
    identities: FloatArray,
    rule: str,
    examples: tuple[str, ...] = (),
) -> Verdict:
    """Return the verdict on the proteins of a part that are similar to one in train.

    Parameters
    ----------
    similar
        These proteins, by number. Shape (S,).
    identities
        Highest identity of each to a protein in train. Shape (S,).
    rule
        The limits and the tool of the search, in words.
    """
    proteins = subject.proteins(part)
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
            "at_least_40_percent": int((identities >= 0.4).sum()),
            "highest_identity": float(identities.max()),
        },
        examples,
    )


def _examples(subject: Subject, hits: Hits) -> tuple[str, ...]:
    """Return the three closest pairs as text."""
    first: IntArray = np.argsort(-hits.identity_fraction, kind="stable")[:3]
    return tuple(
        f"{subject.name(int(hits.query[n]))} ~ {subject.name(int(hits.target[n]))} "
        f"({hits.identity_fraction[n]:.0%})"
        for n in first
    )
