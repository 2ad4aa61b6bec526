"""Verdicts on one part alone: repeats, contradictions, self-pairs, degrees, crops."""

import numpy as np

from peftide.auditing.subject import Subject
from peftide.auditing.verdict import Severity, Verdict, share
from peftide.quantities import count_of
from peftide.sequences import Finding
from peftide.types import FloatArray, IntArray

LEAST_VARIATION = 0.3
"""Standard deviation of degrees, as a share of their mean, below which they predict nothing."""

BALANCED = 0.7
"""Correlation of positive and negative degree at which a part counts as balanced."""

MANY_ONE_SIDED = 0.1
"""Share of proteins that occur only in negatives at which this is a warning."""


def repeats(subject: Subject, part: str) -> Verdict:
    """Rows that repeat an earlier row with the same label, including swapped pairs."""
    found = _finding(subject, part, "repeated_examples")
    if found is None:
        return Verdict(part, "repeated_rows", "ok", f"no repeated {subject.what}")
    swapped = _finding(subject, part, "swapped_repeats")
    swaps = swapped.count if swapped else 0
    size = share(found.count, len(subject.examples(part)), subject.what)
    as_swaps = f" ({swaps:,} as B-A after A-B)" if swaps else ""
    return Verdict(
        part,
        "repeated_rows",
        "note",
        f"{size} repeat an earlier row with the same label{as_swaps}",
        "peftide counts only the first one; other tools count all",
        {"count": found.count, "swapped": swaps},
        found.examples,
    )


def contradictions(subject: Subject, part: str) -> Verdict:
    """Pairs or sequences with more than one label."""
    found = _finding(subject, part, "contradictory_labels")
    if found is None:
        return Verdict(part, "contradictory_labels", "ok", "no contradictory labels")
    what = "distinct pairs" if subject.pairs else "distinct sequences"
    asked = len(np.unique(np.sort(subject.members(part), axis=1), axis=0))
    return Verdict(
        part,
        "contradictory_labels",
        "warning",
        f"{share(found.count, asked, what)} have more than one label",
        "Correct them: no model can be right on both (`peftide train --strict` refuses them)",
        {"count": found.count},
        found.examples,
    )


def self_pairs(subject: Subject, part: str) -> Verdict | None:
    """Pairs of a protein with itself, and whether this gives the label away."""
    if not subject.pairs:
        return None
    members = subject.members(part)
    selfs = members[:, 0] == members[:, 1]
    if not selfs.any():
        return Verdict(part, "self_pairs", "ok", "no self-pairs")
    labels = {label for label, own in zip(subject.labels(part), selfs, strict=True) if own}
    one_label = len(labels) == 1 and int(selfs.sum()) > 1
    given_away = f", all labelled {labels.pop()}: equal sequences give the label away"
    found = _finding(subject, part, "self_pairs")
    left_out = subject.trained and not subject.examples(part).counted[selfs].any()
    return Verdict(
        part,
        "self_pairs",
        "warning" if one_label and not left_out else "note",
        f"{share(int(selfs.sum()), len(selfs), 'pairs')} are of a protein with itself"
        + (given_away if one_label else ""),
        "peftide left them out of training and scores (`--self-pairs exclude`)"
        if left_out
        else "Leave them out of scores, as peftide does without `--self-pairs keep`",
        {"count": int(selfs.sum())},
        found.examples if found else (),
    )


def one_sided(subject: Subject, part: str) -> Verdict | None:
    """Proteins of a pair table that occur only in negatives."""
    if not _has_degrees(subject):
        return None
    positive, negative = subject.degrees(part)
    proteins = subject.proteins(part)
    only = (positive[proteins] == 0) & (negative[proteins] > 0)
    size = share(int(only.sum()), len(proteins), "proteins")
    severity: Severity = "ok"
    if only.any():
        severity = "warning" if only.mean() > MANY_ONE_SIDED else "note"
    return Verdict(
        part,
        "negatives_only",
        severity,
        f"{size} occur only in negatives" if only.any() else "no protein only in negatives",
        "Sample negatives among proteins that have positives: `peftide split --negatives sample`"
        if severity == "warning"
        else "",
        {"count": int(only.sum()), "proteins": len(proteins)},
        tuple(subject.name(int(number)) for number in proteins[only][:3]),
    )


def degree_balance(subject: Subject, part: str) -> Verdict | None:
    """Whether proteins with many positives also have many negatives."""
    if not _has_degrees(subject):
        return None
    proteins = subject.proteins(part)
    positive, negative = (degree[proteins] for degree in subject.degrees(part))
    correlation = _correlation(positive.astype(float), negative.astype(float))
    if correlation is None:
        return None
    balanced = correlation >= BALANCED or not (_varies(positive) and _varies(negative))
    return Verdict(
        part,
        "degree_balance",
        "ok" if balanced else "warning",
        ("" if balanced else "proteins with many positive pairs do not have many negative ones: ")
        + f"the correlation of both counts is {correlation:.2f}",
        ""
        if balanced
        else "A protein's degree predicts its labels: sample new negatives that keep each "
        "protein's degree with `peftide split --negatives sample`",
        {"correlation": correlation},
    )


def crops(subject: Subject, part: str) -> Verdict | None:
    """Proteins that a model would crop."""
    limit = subject.max_length
    if limit is None:
        return None
    proteins = subject.proteins(part)
    long = subject.lengths[proteins] > limit
    if not long.any():
        return Verdict(part, "crops", "ok", f"no protein above {count_of(limit, 'residue')}")
    rows = (subject.lengths[subject.members(part)] > limit).any(axis=1)
    return Verdict(
        part,
        "crops",
        "note",
        f"{share(int(long.sum()), len(proteins), 'proteins')} have more than "
        f"{count_of(limit, 'residue')}, and {rows.mean():.1%} of the {subject.what} contain one: "
        "the model reads only the first ones",
        "`--max-length none` crops nothing, if the backbone allows it",
        {"count": int(long.sum()), "proteins": len(proteins), "rows": int(rows.sum())},
        tuple(subject.name(int(number)) for number in proteins[long][:3]),
    )


WITHIN = (repeats, contradictions, self_pairs, one_sided, degree_balance, crops)
"""All checks of one part; a check returns None if it does not apply."""


def _varies(degrees: IntArray) -> bool:
    """Return whether proteins differ enough in their degree for it to predict a label."""
    return float(degrees.std()) > LEAST_VARIATION * float(degrees.mean())


def _has_degrees(subject: Subject) -> bool:
    return subject.pairs and subject.label_kind == "yes_no"


def _correlation(first: FloatArray, second: FloatArray) -> float | None:
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(np.corrcoef(first, second)[0, 1])


def _finding(subject: Subject, part: str, kind: str) -> Finding | None:
    found = [f for f in subject.dataset.findings if (f.part, f.kind) == (part, kind)]
    return found[0] if found else None
