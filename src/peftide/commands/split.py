"""`peftide split`: a table in; the same rows with a part each out."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from peftide.config import SplitConfig
from peftide.config.unread import NOTHING, Choice, Names, choice_of, unread_problems
from peftide.errors import raise_problems
from peftide.outputs import check_folder, refuse_inputs_inside
from peftide.sequences.findings import plain_findings
from peftide.sequences.parts import PARTS
from peftide.sequences.records import Finding
from peftide.splitting import check_fractions
from peftide.splitting.files import (
    TABLE,
    counted_parts,
    reasons_counted,
    used_proteins,
    write_split,
)
from peftide.splitting.plan import SplitPlan, plan_split
from peftide.splitting.protein_groups import similarity_settings
from peftide.splitting.rows import SplitRows, input_files, read_rows

FEWEST_PROTEINS = 10
FAR = 0.25
SIMILARITY: Names = frozenset({"identity", "coverage"})


@dataclass(frozen=True)
class SplitResult:
    """What was written.

    Attributes
    ----------
    path
        The table with the split column.
    record
        Content of `split.json`.
    """

    path: Path
    record: dict[str, Any]


def split(config: SplitConfig, *, given: Names = NOTHING) -> SplitResult:
    """Divide a table into train, validation and test, and write it with a split column.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        If the input or an option is wrong, a part would be empty, or the output exists.
    """
    raise_problems(unread_problems(config, choices(config), given=given))
    check_request(config)
    rows = read_rows(config)
    plan = plan_split(rows, config)
    record = split_record(rows, plan)
    content = write_split(rows, plan, record, config=config)
    return SplitResult(config.out / TABLE, content)


def choices(config: SplitConfig) -> Iterator[Choice]:
    """Yield the choices that decide whether options are read."""
    if config.kind == "random":
        yield Choice("--kind random", SIMILARITY | {"similarity", "clusters"})
    if config.clusters is not None:
        yield Choice("a split with --clusters", SIMILARITY | {"similarity"})
    if config.similarity == "none":
        yield Choice("--similarity none", SIMILARITY)
    negatives = {"sample": frozenset({"negative_ratio"})}
    yield choice_of(f"--negatives {config.negatives}", negatives, config.negatives)


def check_request(config: SplitConfig) -> None:
    """Raise if an option is wrong or the output may not be written.

    Raises
    ------
    InputError
        Saying which.
    """
    check_fractions(config.fractions)
    similarity_settings(config)  # before anything long
    check_folder(config.out, command="split", overwrite=config.overwrite)
    refuse_inputs_inside(config.out, input_files(config))


def split_record(rows: SplitRows, plan: SplitPlan) -> dict[str, Any]:
    """Return what was decided, for `split.json`."""
    kept = (plan.part >= 0) & plan.counted
    record: dict[str, Any] = {
        "kind": plan.kind,
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
    """Yield what the user should know of the parts."""
    yield from _uncounted(plan)
    yield from _sizes(plan, parts)
    for name, part in parts.items():
        if rows.level == "pair" and part["proteins"] < FEWEST_PROTEINS:
            decision = "proteins: too few for an interval on a score (10)"
            yield Finding(name, "few_proteins", part["proteins"], decision)
        absent = [label for label, share in part["labels"].items() if not share]
        if absent:
            decision = f"labels that no row of this part has ({', '.join(absent[:3])})"
            yield Finding(name, "missing_labels", len(absent), decision)
    if plan.kind == "random" and rows.level == "pair":
        yield from _shared_proteins(rows, plan)
    for name, drawn in zip(PARTS, plan.drawn, strict=False):
        if drawn.missing:
            decision = (
                "negatives fewer than asked for: some proteins interact with nearly all others"
            )
            yield Finding(name, "missing_negatives", drawn.missing, decision)


def _uncounted(plan: SplitPlan) -> Iterator[Finding]:
    count = int((plan.usable & ~plan.counted).sum())
    if count:
        decision = (
            "rows repeat an earlier one or pair a protein with itself; they are kept, and left out "
            "of all shares"
        )
        yield Finding("input", "uncounted_rows", count, decision)


def _sizes(plan: SplitPlan, parts: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    for name, wish in zip(PARTS, plan.fractions.tolist(), strict=True):
        if name in parts and abs(parts[name]["share"] / wish - 1) > FAR:
            found = parts[name]
            decision = (
                f"rows count, {found['share']:.1%} of all instead of {wish:.1%}: "
                "what must stay together leaves no better choice"
            )
            yield Finding(name, "other_size", found["counted"], decision)


def _shared_proteins(rows: SplitRows, plan: SplitPlan) -> Iterator[Finding]:
    train = used_proteins(rows, plan.part == 0)
    for number, name in list(enumerate(PARTS))[1:]:
        own = used_proteins(rows, plan.part == number)
        shared = np.intersect1d(own, train)
        if len(own):
            decision = (
                f"of its {len(own):,} proteins are in train too, as rows were taken at random: "
                "scores on it say little about new proteins (`--kind none_seen`)"
            )
            yield Finding(name, "shared_proteins", len(shared), decision)
