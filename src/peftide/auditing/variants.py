"""Variants of one sequence: which question a split asks, by changed sites and their number."""

import numpy as np

from peftide.auditing.kinship import Kinship
from peftide.auditing.subject import Subject
from peftide.auditing.verdict import Severity, Verdict, share
from peftide.similarity.reference import LEAST_IDENTICAL, VariantSet
from peftide.types import BoolArray, IntArray

KNOWN = (
    "The score is about further changes at these sites, not about other sites or other proteins: "
    "`peftide split --kind position` or `--kind order` makes a test of them"
)
ONE_PROTEIN = "The score is about this protein, not about other proteins"


def known_to_be_similar(subject: Subject, kinship: Kinship | None = None) -> bool:
    """Return whether all sequences are variants of one, so that no search has anything to tell.

    A search for a higher identity than the variants have says more.
    """
    limit = 0.0 if kinship is None else kinship.settings.identity_fraction
    return subject.variants is not None and limit <= LEAST_IDENTICAL


def variant_split(subject: Subject, part: str) -> Verdict | None:
    """Return the kind of a split of variants: by position, by order, or at random."""
    variants = subject.variants
    if variants is None:
        return None
    train, own = (_within(variants, subject.proteins(name)) for name in ("train", part))
    known, sites = (np.unique(variants.changes.site[some]) for some in (train, own))
    most = int(_counts(variants, subject.proteins("train")).max(initial=0))
    fewest = int(_counts(variants, subject.proteins(part)).min())
    shared = len(np.intersect1d(sites, known))
    severity: Severity = "note"
    if len(sites) and not shared:
        kind, advice = "position", ONE_PROTEIN
        text = (
            f"split by position: none of the {len(sites):,} sites that it changes changes in train"
        )
    elif fewest > max(most, 1):
        kind, advice = "order", ONE_PROTEIN
        text = f"split by order: up to {most} changes in train, {fewest} or more here"
    else:
        kind, advice, severity = "random", KNOWN, "warning"
        of_sites = share(shared, len(sites), "sites that it changes")
        text = f"split at random: {of_sites} change in train, too"
    return Verdict(
        part,
        "variants",
        severity,
        f"variants of one sequence, {text}",
        advice,
        {
            "sites": len(sites),
            "sites_in_train": shared,
            "most_changes_in_train": most,
            "fewest_changes": fewest,
            "by_position": float(kind == "position"),
            "by_order": float(kind == "order"),
        },
    )


def _within(variants: VariantSet, proteins: IntArray) -> BoolArray:
    """Mark the changes of some sequences. Shape (E,)."""
    return np.isin(variants.changes.sequence, proteins)


def _counts(variants: VariantSet, proteins: IntArray) -> IntArray:
    """Return the number of changes of each of some sequences."""
    return np.bincount(variants.changes.sequence, minlength=int(proteins.max()) + 1)[proteins]
