"""Verdicts on a later part compared with train: overlap and differences."""

from collections import Counter
from itertools import chain

import numpy as np

from peftide.auditing.subject import Subject
from peftide.auditing.verdict import Verdict, share
from peftide.baselines import fit_degree
from peftide.sequences import distinct_examples
from peftide.sequences.repeats import visible_labels
from peftide.types import FloatArray, IntArray

DEGREE_LEAD = 0.05
"""Lead of average precision over the share of positives at which degree alone is a shortcut."""

SHIFT = 0.1
"""Distance between two distributions that is worth a warning, as a share of rows or proteins."""

HELD_OUT = "held_out_rows"
"""Kind of the finding about train rows that peftide held out as validation."""

REMOVE = (
    "Leave out the training rows with them (`peftide train --shared-proteins drop`), or split by "
    "protein"
)


def shared_proteins(subject: Subject, part: str) -> Verdict:
    """Proteins of a later part that are also in train."""
    return judged_shared(
        subject, part, np.intersect1d(subject.proteins(part), subject.proteins("train"))
    )


def judged_shared(subject: Subject, part: str, shared: IntArray) -> Verdict:
    """Return the verdict on the proteins of a part that are also in train, by number."""
    proteins = subject.proteins(part)
    if not len(shared):
        return Verdict(part, "shared_proteins", "ok", "no protein is also in train")
    # peftide made this validation part itself; it chooses the epoch and is not a test
    held_out = part == "validation" and any(f.kind == HELD_OUT for f in subject.dataset.findings)
    return Verdict(
        part,
        "shared_proteins",
        "warning" if held_out else "leak",
        f"{share(len(shared), len(proteins), 'proteins')} are also in train",
        "The pairs were held out at random: `--validation-kind none_seen` holds out whole proteins"
        if held_out
        else REMOVE,
        {"count": len(shared), "proteins": len(proteins)},
        tuple(subject.name(int(number)) for number in shared[:3]),
    )


def seen_rows(subject: Subject, part: str) -> Verdict | None:
    """Shares of pairs with both, one or none of their proteins in train."""
    if not subject.pairs:
        return None
    seen = np.bincount(subject.in_train(part).sum(axis=1), minlength=3) / len(
        subject.examples(part)
    )
    none, one, both = seen.tolist()
    shares: dict[str, float | None] = {"none_seen": none, "one_seen": one, "both_seen": both}
    words = ", ".join(f"{value:.1%} {name}" for name, value in shares.items())
    alone = seen[0] == 1
    return Verdict(
        part,
        "seen_pairs",
        "ok" if alone else "note",
        f"pairs by the number of proteins in train: {words}",
        "" if alone else "Report the three scores separately: only none_seen is about new proteins",
        shares,
    )


def shared_rows(subject: Subject, part: str) -> Verdict:
    """Pairs or sequences of a later part that are also in train, and their labels there."""
    members = [subject.members("train"), subject.members(part)]
    asked = distinct_examples(np.concatenate(members), np.arange(len(subject.lengths)))
    before = len(members[0])
    again = np.isin(asked[before:], asked[:before])
    if not again.any():
        return Verdict(part, "shared_rows", "ok", f"no {subject.what} are also in train")
    trained, labels = (visible_labels(subject.examples(name)) for name in ("train", part))
    known = set(zip(asked[:before].tolist(), trained, strict=True))
    own = zip(asked[before:].tolist(), labels, strict=True)
    other = sum(a and pair not in known for a, pair in zip(again.tolist(), own, strict=True))
    rows = np.flatnonzero(again)
    return Verdict(
        part,
        "shared_rows",
        "leak",
        f"{share(len(rows), len(again), subject.what)} are also in train, "
        f"{other:,} of them only with a different label",
        "Remove them from one of the two parts",
        {"count": len(rows), "other_label": other},
        tuple(subject.examples(part).where(int(row)) for row in rows[:3]),
    )


def degree_alone(subject: Subject, part: str) -> Verdict | None:
    """Average precision of a score made only from the proteins' degrees in train."""
    from sklearn.metrics import average_precision_score  # slow to load

    if not (subject.pairs and subject.label_kind == "yes_no"):
        return None
    rows = subject.examples(part).counted
    truth = subject.positive(part)[rows]
    if truth.all() or not truth.any():
        return Verdict(part, "degree_alone", "warning", "all its labels are the same")
    counted = subject.examples("train").counted
    degree = fit_degree(
        subject.sequences,
        subject.members("train")[counted],
        subject.positive("train")[counted].astype(np.int64),
        kind="binary",
    )
    score = degree.predict(subject.sequences, subject.members(part)[rows])
    precision = float(average_precision_score(truth, score))
    prevalence = float(truth.mean())
    shortcut = precision > prevalence + DEGREE_LEAD
    return Verdict(
        part,
        "degree_alone",
        "warning" if shortcut else "ok",
        f"degree in train alone has average precision {precision:.3f}; {prevalence:.3f} of the "
        "pairs are positive",
        "A model can reach this score without any sequence: compare with it, or sample negatives "
        "that keep each protein's degree"
        if shortcut
        else "",
        {"average_precision": precision, "prevalence": prevalence},
    )


def label_shift(subject: Subject, part: str) -> Verdict:
    """Difference between the labels of a part and of train."""
    if subject.label_kind in ("values", "residue_values"):
        return _value_shift(subject, part)
    train, own = (_label_counts(subject, name) for name in ("train", part))
    new = sorted(set(own) - set(train))
    total, own_total = sum(train.values()), sum(own.values())
    shift = sum(abs(train[k] / total - own[k] / own_total) for k in {*train, *own}) / 2
    text = f"its label distribution differs from train by {shift:.1%} (total variation)"
    if subject.label_kind == "yes_no":
        shares = [float(subject.positive(name).mean()) for name in (part, "train")]
        text = f"{shares[0]:.1%} of its labels are positive, {shares[1]:.1%} in train"
    if new:
        few = ", ".join(new[:3]) + (" …" if len(new) > 3 else "")
        text += f"; {len(new):,} of its classes are not in train ({few})"
    return Verdict(
        part,
        "label_shift",
        "warning" if new else "note" if shift > SHIFT else "ok",
        text,
        "No model can predict classes that are not in train: merge or drop them" if new else "",
        {"total_variation": shift, "new_classes": len(new)},
    )


def length_shift(subject: Subject, part: str) -> Verdict:
    """Difference between the protein lengths of a part and of train."""
    own, train = (subject.lengths[subject.proteins(name)] for name in (part, "train"))
    medians = f"the median length is {np.median(own):,.0f}, and {np.median(train):,.0f} in train"
    return _shift(part, "length_shift", medians, own=own, train=train)


def shared_with_validation(subject: Subject, part: str) -> Verdict | None:
    """Proteins of a test part that are in validation."""
    if part == "validation" or "validation" not in subject.dataset.parts:
        return None
    proteins = subject.proteins(part)
    shared = np.intersect1d(proteins, subject.proteins("validation"))
    if not len(shared):
        return Verdict(part, "shared_with_validation", "ok", "no protein is also in validation")
    return Verdict(
        part,
        "shared_with_validation",
        "warning",
        f"{share(len(shared), len(proteins), 'proteins')} are also in validation",
        "Validation chooses epoch and threshold, so these scores are slightly inflated",
        {"count": len(shared), "proteins": len(proteins)},
        tuple(subject.name(int(number)) for number in shared[:3]),
    )


def shared_clusters(subject: Subject, part: str) -> Verdict | None:
    """Clusters of a later part that are also in train."""
    own = set(subject.examples(part).clusters or ()) - {""}
    if not own:
        return None
    shared = sorted(own & set(subject.examples("train").clusters or ()))
    if not shared:
        return Verdict(part, "shared_clusters", "ok", "no cluster is also in train")
    return Verdict(
        part,
        "shared_clusters",
        "warning",
        f"{share(len(shared), len(own), 'clusters')} are also in train",
        "Keep clusters together: `peftide split --kind cluster`, or `--validation-kind cluster`",
        {"count": len(shared), "clusters": len(own)},
        tuple(shared[:3]),
    )


ACROSS = (
    shared_proteins,
    shared_rows,
    shared_clusters,
    seen_rows,
    degree_alone,
    label_shift,
    length_shift,
    shared_with_validation,
)
"""All checks of a later part against train; a check returns None if it does not apply."""


def _value_shift(subject: Subject, part: str) -> Verdict:
    own, train = subject.values(part), subject.values("train")
    medians = f"the median label is {np.median(own):.3g}, and {np.median(train):.3g} in train"
    return _shift(part, "label_shift", medians, own=own, train=train)


def _shift(
    part: str, kind: str, medians: str, *, own: FloatArray | IntArray, train: FloatArray | IntArray
) -> Verdict:
    """Return a verdict with the two medians and the distance between the distributions."""
    distance = _distance(own, train)
    return Verdict(
        part,
        kind,
        "note" if distance > SHIFT else "ok",
        f"{medians} (Kolmogorov-Smirnov distance {distance:.2f})",
        "",
        {"median": float(np.median(own)), "distance": distance},
    )


def _label_counts(subject: Subject, part: str) -> Counter[str]:
    if subject.label_kind == "residues":
        return Counter(chain.from_iterable(subject.entries(part)))
    return Counter(subject.labels(part))


def _distance(first: FloatArray | IntArray, second: FloatArray | IntArray) -> float:
    """Kolmogorov-Smirnov distance: the largest gap between the two cumulative distributions."""
    places = np.concatenate([first, second])
    below = [
        np.searchsorted(np.sort(values), places, side="right") / len(values)
        for values in (first, second)
    ]
    return float(np.abs(below[0] - below[1]).max())
