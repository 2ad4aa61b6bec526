"""Rows and their plan → the record of a split, with findings on its parts."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from peftide.sequences.findings import plain_findings
from peftide.sequences.parts import PARTS
from peftide.sequences.records import Finding
from peftide.splitting.clusters import split_by_cluster
from peftide.splitting.plan import SplitPlan, largest_group, numbered
from peftide.splitting.rows import SplitRows
from peftide.types import BoolArray, IntArray

ASKS = {
    "none_seen": "how well does a model predict pairs of new proteins?",
    "cluster": "how well does a model predict proteins unlike the training proteins?",
    "random": "how well does a model predict further rows like the training rows?",
    "position": "how well does a model predict changes at sites that train leaves unchanged?",
    "order": "how well does a model predict combinations of changes from single ones?",
}
"""Kind of a split → what a score on test answers."""
ASKS_OF_VARIANTS = "how well does a model predict further changes at sites that train changes too?"
FEWEST_PROTEINS = 10
FAR = 0.25
SHOWN_LABELS = 10


def split_record(rows: SplitRows, plan: SplitPlan) -> dict[str, Any]:
    """Return the content of `split.json`: options, counts and findings."""
    kept = (plan.part >= 0) & plan.counted
    record: dict[str, Any] = {
        "kind": plan.kind,
        "asks": ASKS_OF_VARIANTS if plan.variants and plan.kind == "random" else ASKS[plan.kind],
        "level": rows.level,
        "rows": len(rows.cells),
        "parts": counted_parts(rows, plan),
        "dropped": reasons_counted(rows, plan),
        "groups": None if plan.groups is None else plan.groups.record,
    }
    if plan.kept_at_random is not None:
        record |= {
            "kept_share": float(kept.sum() / plan.counted.sum()),
            "kept_share_at_random": plan.kept_at_random,
        }
    findings = (*rows.findings, *split_findings(rows, plan, record["parts"]))
    return record | {"findings": plain_findings(findings)}


def split_findings(
    rows: SplitRows, plan: SplitPlan, parts: dict[str, dict[str, Any]]
) -> Iterator[Finding]:
    """Yield everything that limits scores on the parts."""
    yield from _uncounted(plan)
    yield from _sizes(rows, plan, parts)
    for name, part in parts.items():
        if rows.level == "pair" and part["proteins"] < FEWEST_PROTEINS:
            decision = "proteins: too few for an interval on a score (10)"
            yield Finding(name, "few_proteins", part["proteins"], decision)
        absent = [label for label, share in part["labels"].items() if not share]
        if absent and not plan.drawn:
            yield _missing_labels(name, absent, plan=plan, rows=rows)
    if plan.kind == "random" and rows.level == "pair":
        yield from _shared_proteins(rows, plan)
    for name, drawn in zip(PARTS, plan.drawn, strict=False):
        if drawn.missing:
            decision = (
                "negatives fewer than requested: some proteins interact with nearly all others"
            )
            yield Finding(name, "missing_negatives", drawn.missing, decision)


def _missing_labels(name: str, absent: list[str], *, plan: SplitPlan, rows: SplitRows) -> Finding:
    shown = [_with_count(label, plan, rows) for label in absent[:SHOWN_LABELS]]
    shown += ["…"] if len(absent) > len(shown) else []
    what = "labels are" if len(absent) > 1 else "label is"
    decision = f"{what} missing from this part: {', '.join(shown)}"
    return Finding(name, "missing_labels", len(absent), decision)


def _with_count(label: str, plan: SplitPlan, rows: SplitRows) -> str:
    """Return a label with its number of groups or rows."""
    column = plan.labels.names.index(label)
    having = np.flatnonzero(plan.counted & (plan.labels.values[:, column] > 0))
    if plan.groups is None or rows.level == "pair":
        return f"{label} ({len(having):,} {'row' if len(having) == 1 else 'rows'} in all)"
    count = len(np.unique(plan.groups.of_protein[rows.members[having, 0]]))
    return f"{label} (in {count:,} {'group' if count == 1 else 'groups'} of similar sequences)"


def _uncounted(plan: SplitPlan) -> Iterator[Finding]:
    count = int((plan.usable & ~plan.counted).sum())
    if count:
        decision = (
            "rows repeat an earlier row or pair a protein with itself; they are kept, but not "
            "counted in the shares"
        )
        yield Finding("input", "uncounted_rows", count, decision)


def _sizes(rows: SplitRows, plan: SplitPlan, parts: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    for name, wish in zip(PARTS, plan.fractions.tolist(), strict=True):
        if plan.kind == "order":  # the number of changes decides the sizes
            return
        if name not in parts or abs(parts[name]["share"] / wish - 1) <= FAR:
            continue
        found, reason = parts[name], _obstacle(rows, plan, wish)
        decision = f"counted rows, {found['share']:.1%} of all instead of {wish:.1%}: {reason}"
        yield Finding(name, "other_size", found["counted"], decision)


def _obstacle(rows: SplitRows, plan: SplitPlan, wish: float) -> str:
    """Return the reason why a part is far from its requested share."""
    count, largest = int(plan.counted.sum()), largest_group(rows, plan)
    if largest is not None and largest.share > plan.fractions[plan.fractions > 0].min():
        return f"{largest.name} in {largest.share:.0%} of the rows, and they stay together"
    if FAR * wish * count < 1:
        return f"one row more or less is {1 / count:.1%} of all"
    if _fits_without_labels(rows, plan):
        return "each part should have rows of every label, and some labels have few groups"
    if plan.groups is None:
        return "rows of one example must stay together"
    return "groups that must stay together prevent a better split"


def _fits_without_labels(rows: SplitRows, plan: SplitPlan) -> bool:
    """Return whether groups of sequences could have the requested shares, whatever their labels."""
    if plan.groups is None or rows.level == "pair":
        return False
    clusters = numbered(plan.groups.of_protein[rows.members[:, 0]])
    part = split_by_cluster(clusters, np.zeros((len(clusters), 0)), plan.fractions, seed=0)
    found = np.bincount(part[plan.counted], minlength=len(PARTS)) / plan.counted.sum()
    return bool((np.abs(found - plan.fractions) <= FAR * plan.fractions).all())


def _shared_proteins(rows: SplitRows, plan: SplitPlan) -> Iterator[Finding]:
    train = used_proteins(rows, plan.part == 0)
    for number, name in list(enumerate(PARTS))[1:]:
        own = used_proteins(rows, plan.part == number)
        shared = np.intersect1d(own, train)
        if len(own):
            decision = (
                f"of its {len(own):,} proteins are also in train, because rows were split at "
                "random: scores on it say little about new proteins (use `--kind none_seen`)"
            )
            yield Finding(name, "shared_proteins", len(shared), decision)


def counted_parts(rows: SplitRows, plan: SplitPlan) -> dict[str, dict[str, Any]]:
    """Return rows, proteins and label shares of each part, over the counted rows."""
    pairs = rows.numbers[rows.members]
    parts = {}
    for number, name in enumerate(PARTS):
        chosen = np.flatnonzero(plan.part == number)
        drawn = plan.drawn[number].members if plan.drawn else np.zeros((0, 2), dtype=np.int64)
        count = len(chosen) + len(drawn)
        if not count:
            continue
        proteins = np.union1d(pairs[chosen], drawn)
        parts[name] = {
            "rows": count,
            "proteins": len(proteins),
            **({"drawn_negatives": len(drawn)} if plan.drawn else {}),
            "counted": int(plan.counted[chosen].sum()) + len(drawn),
            "labels": _label_shares(plan, chosen[plan.counted[chosen]], drawn=len(drawn)),
        }
    total = sum(part["counted"] for part in parts.values())
    return {name: {"share": part["counted"] / total} | part for name, part in parts.items()}


def _label_shares(plan: SplitPlan, chosen: IntArray, *, drawn: int) -> dict[str, float]:
    if not plan.drawn:
        return plan.labels.means(chosen)
    share = len(chosen) / (len(chosen) + drawn)
    return {"0": 1 - share, "1": share}


def reasons_counted(rows: SplitRows, plan: SplitPlan) -> dict[str, int]:
    """Return the number of dropped rows by reason."""
    counts = {rows.why_unknown: len(rows.cells) - len(rows.known)}
    counts |= {reason: int(marked.sum()) for reason, marked in plan.reasons().items()}
    return {reason: count for reason, count in counts.items() if count}


def used_proteins(rows: SplitRows, marked: BoolArray) -> IntArray:
    """Return the sequence numbers in the marked rows."""
    return np.unique(rows.numbers[rows.members[marked]])
