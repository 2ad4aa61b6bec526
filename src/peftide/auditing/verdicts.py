"""A subject comes in; all verdicts on it go out, the worst first."""

from collections import Counter

from peftide.auditing.across import ACROSS, label_shift
from peftide.auditing.kinship import Kinship, similar_proteins
from peftide.auditing.subject import Subject
from peftide.auditing.variants import known_to_be_similar, variant_split
from peftide.auditing.verdict import Severity, Verdict, share
from peftide.auditing.within import WITHIN
from peftide.quantities import count_of_kind
from peftide.sequences import Finding
from peftide.sequences.label_kinds import are_whole

SEVERITIES: tuple[Severity, ...] = ("leak", "warning", "note", "ok")
"""From the worst to the best."""

DOUBTFUL = "doubtful_labels"
JUDGED_APART = {
    *("repeated_examples", "swapped_repeats", "contradictory_labels", "self_pairs"),
    *("shared_proteins", "shared_clusters", "shared_with_validation"),
}
WARNINGS = {
    "missing_sequences": "Add the sequences; `peftide train` refuses the table unless told to drop",
    "renamed_ids": "Give every sequence a unique id: scores by id mix up these sequences",
    "other_split_values": "Pass the table as --data if its split column is right",
    "nucleotide_like_sequences": "Translate them if they are DNA",
    "labels_like_missing_values": "Leave out these rows if their label is unknown",
    "similar_classes": "Correct the labels if they are one class",
}
"""Kind of a reading finding that is more than a note → advice."""


def judge(subject: Subject, kinship: Kinship | None) -> tuple[Verdict, ...]:
    """Return every verdict on a data set.

    Parameters
    ----------
    subject
        The data set.
    kinship
        Similar proteins across parts; None without a search.
    """
    verdicts = [check(subject, part) for part in subject.dataset.parts for check in WITHIN]
    across = [check for check in ACROSS if check is not label_shift or _are_clear(subject)]
    verdicts += [check(subject, part) for part in subject.later for check in across]
    verdicts += [variant_split(subject, part) for part in subject.later]
    if kinship is not None and not known_to_be_similar(subject, kinship):
        verdicts += [similar_proteins(subject, part, kinship) for part in subject.later]
    verdicts += [_of_reading(found) for found in subject.dataset.findings]
    verdicts.append(several_ids(subject))
    found = [verdict for verdict in verdicts if verdict is not None]
    return tuple(sorted(found, key=lambda verdict: SEVERITIES.index(verdict.severity)))


def several_ids(subject: Subject) -> Verdict | None:
    """Sequences in pairs with more than one id; in other tables, ids may be made up."""
    if not subject.pairs:
        return None
    times = Counter(subject.numbers.tolist())
    repeated = [number for number, count in times.items() if count > 1]
    if not repeated:
        return Verdict("sequences", "several_ids", "ok", "every sequence has one id")
    return Verdict(
        "sequences",
        "several_ids",
        "note",
        f"{share(len(repeated), len(times), 'sequences')} have several ids",
        "peftide compares proteins by sequence; a split by id alone would leak",
        {"count": len(repeated)},
        tuple(subject.name(number) for number in repeated[:3]),
    )


def _are_clear(subject: Subject) -> bool:
    """Return whether the labels can be compared: whole numbers are, even without a clear task."""
    is_doubtful = any(found.kind == DOUBTFUL for found in subject.dataset.findings)
    return not is_doubtful or are_whole(label.strip() for label in subject.labels("train"))


def _of_reading(found: Finding) -> Verdict | None:
    """Return a finding from reading as a verdict, unless a separate check covers it."""
    if found.kind in JUDGED_APART:
        return None
    severity: Severity = "warning" if found.kind in WARNINGS else "note"
    name = "doubtful labels" if found.kind == DOUBTFUL else count_of_kind(found.count, found.kind)
    text = f"{name}: {found.decision}"
    advice, numbers = WARNINGS.get(found.kind, ""), {"count": found.count}
    return Verdict(found.part, found.kind, severity, text, advice, numbers, found.examples)
