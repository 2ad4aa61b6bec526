"""Rows and options → the part of each row, or the reason why it has none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from peftide.config import SplitConfig
from peftide.errors import InputError, raise_problems
from peftide.sequences.parts import PARTS
from peftide.sequences.yes_no import is_yes
from peftide.splitting.clusters import split_by_cluster
from peftide.splitting.graph import PairGraph, split_pair_graph
from peftide.splitting.groups import ProteinGroups, protein_groups
from peftide.splitting.label_shares import LabelShares, label_shares
from peftide.splitting.negatives import SampledNegatives, sample_negatives
from peftide.splitting.rows import SplitRows
from peftide.splitting.sites import (
    TRAIN,
    are_variants,
    split_by_order,
    split_by_site,
    variant_rows,
)
from peftide.splitting.stratified import split_at_random
from peftide.types import BoolArray, FloatArray, IntArray

NOWHERE = -1
TOLERANCE = 1e-6
ACROSS = "the two proteins are in different parts"
ACROSS_SITES = "it changes sites of different parts"
GROUPED = ("cluster", "none_seen")
BY_CHANGES = ("position", "order")
REPLACED = "negative of the table, replaced by a sampled one"
SELF = "self-pair, which sampled negatives exclude"


@dataclass(frozen=True, eq=False)
class SplitPlan:
    """The assignment of rows to parts.

    Attributes
    ----------
    kind
        "random", "cluster", "none_seen", "position" or "order".
    fractions
        Requested shares of `PARTS`.
    part
        Index of each row's part, or -1. Shape (B,).
    usable
        Rows that are divided: all rows except the `unusable` ones. Shape (B,).
    unusable
        Reason why rows are not divided → these rows. Shape (B,) each.
    counted
        The first usable row of each example; self-pairs only if they are kept. Shape (B,).
    labels
        Share of every class in each row.
    groups
        Proteins that stay together; None for random rows.
    kept_at_random
        Share of the pairs that random parts of the same groups would keep; None if no pair is
        lost.
    drawn
        Negatives drawn for each part, in sequence numbers; empty if they are kept.
    variants
        Whether the sequences are variants of one.
    """

    kind: str
    fractions: FloatArray
    part: IntArray
    usable: BoolArray
    unusable: dict[str, BoolArray]
    counted: BoolArray
    labels: LabelShares
    groups: ProteinGroups | None = None
    kept_at_random: float | None = None
    drawn: tuple[SampledNegatives, ...] = ()
    variants: bool = False

    def reasons(self) -> dict[str, BoolArray]:
        """Return the reason why rows have no part → these rows. Shape (B,) each."""
        reason = ACROSS_SITES if self.kind in BY_CHANGES else ACROSS
        return self.unusable | {reason: self.usable & (self.part == NOWHERE)}


def plan_split(rows: SplitRows, config: SplitConfig) -> SplitPlan:
    """Assign every row to a part.

    Raises
    ------
    InputError
        If the kind does not fit the table, or a requested part would be empty.
    """
    kind = resolved_kind(config, pairs=rows.level == "pair")
    labels = label_shares(rows.labels, lengths=rows.lengths())
    count = len(rows.members)
    unusable = unusable_rows(rows, config)
    usable = ~np.any([np.zeros(count, dtype=bool), *unusable.values()], axis=0)
    task = Division(
        rows=rows,
        usable=usable,
        counted=counted_rows(rows, usable, self_pairs=config.self_pairs),
        labels=labels.values if labels.names else np.ones((count, 1)),
        fractions=check_fractions(config.fractions),
        seed=config.seed,
    )
    groups = protein_groups(rows, config) if kind in GROUPED else None
    if groups is not None:
        part, by_chance = task.by_group(groups.of_protein)
    else:
        part, by_chance = task.by_changes(kind) if kind in BY_CHANGES else task.at_random(), None
    plan = SplitPlan(
        kind=kind,
        fractions=task.fractions,
        part=np.where(usable, part, NOWHERE),
        usable=usable,
        unusable=unusable,
        counted=task.counted,
        labels=labels,
        groups=groups,
        kept_at_random=by_chance,
        variants=kind in BY_CHANGES or are_variants(rows),
    )
    refuse_empty_parts(rows, plan)
    if config.negatives == "sample":
        plan = replace(plan, drawn=tuple(draw_negatives(rows, plan, config)))
    return plan


def check_fractions(fractions: Sequence[float]) -> FloatArray:
    """Return the shares of train, validation and test as an array of shape (3,).

    Raises
    ------
    InputError
        If the fractions are not three shares that add up to 1, or the share of train is 0.

    Examples
    --------
    >>> check_fractions((0.8, 0.1, 0.1)).tolist()
    [0.8, 0.1, 0.1]
    """
    shares = np.array(fractions, dtype=np.float64)
    sound = len(shares) == 3 and (shares >= 0).all() and abs(shares.sum() - 1) < TOLERANCE
    if not sound or not 0 < shares[0] < 1:
        raise InputError(
            f"received {','.join(f'{share:g}' for share in fractions)}",
            expected="shares of train, validation and test that add up to 1, such as 0.8,0.1,0.1 "
            "(0 leaves out validation or test, not train)",
            where="--fractions",
        )
    return shares


def resolved_kind(config: SplitConfig, *, pairs: bool) -> str:
    """Return the kind of a split.

    Raises
    ------
    InputError
        If the kind does not fit the rows.
    """
    fitting = ("none_seen", "random") if pairs else ("cluster", "random", *BY_CHANGES)
    kind = fitting[0] if config.kind == "auto" else config.kind
    what = "pairs" if pairs else "single sequences"
    if kind not in fitting:
        raise InputError(f"{kind} of {what}", expected=listed(fitting), where="--kind")
    if config.negatives == "sample" and not pairs:
        raise InputError(f"sample of {what}", expected="keep", where="--negatives")
    return kind


def listed(names: Sequence[str]) -> str:
    """Return names in words.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b or c'
    """
    return f"{', '.join(names[:-1])} or {names[-1]}"


def unusable_rows(rows: SplitRows, config: SplitConfig) -> dict[str, BoolArray]:
    """Return the reason why rows are not divided → these rows.

    Raises
    ------
    InputError
        If negatives are to be drawn and the labels are not binary.
    """
    if config.negatives == "keep":
        return {}
    positive = positive_rows(rows)
    selfs = rows.selfs() & (config.self_pairs == "exclude")
    return {REPLACED: ~positive, SELF: positive & selfs}


def positive_rows(rows: SplitRows) -> BoolArray:
    """Return which pairs are positive; without labels, all pairs are.

    Raises
    ------
    InputError
        If a label is not binary, or no pair is positive.
    """
    if rows.labels is None:
        return np.ones(len(rows.members), dtype=bool)
    said = [is_yes(label) for label in rows.labels]
    strange = dict.fromkeys(
        label for label, yes in zip(rows.labels, said, strict=True) if yes is None
    )
    raise_problems(
        [f"label {label!r} is neither 1 nor 0" for label in strange],
        fix="`--negatives sample` needs pairs labelled 1 or 0, or no labels (all are positive)",
    )
    positive = np.array(said, dtype=bool)
    if not positive.any():
        raise InputError("no pair is labelled 1", where="--negatives sample")
    return positive


@dataclass(frozen=True, kw_only=True)
class Division:
    """The rows to divide and the settings of the split; `labels` has shape (B, K)."""

    rows: SplitRows
    usable: BoolArray
    counted: BoolArray
    labels: FloatArray
    fractions: FloatArray
    seed: int

    def at_random(self) -> IntArray:
        """Return a random part for each row; a known wild type is in train."""
        strata = self.labels.argmax(axis=1)
        part = split_at_random(
            self.rows.asked, self.counted, strata, fractions=self.fractions, seed=self.seed
        )
        sequences = np.array(self.rows.proteins.sequences, dtype=object)
        is_wild_type = (sequences == self.rows.wild_type)[self.rows.members[:, 0]]
        return np.where(is_wild_type, TRAIN, part)

    def by_changes(self, kind: str) -> IntArray:
        """Return the part of each variant, by its changed sites or by their number."""
        variants = variant_rows(self.rows, kind=kind)
        wish = {"fractions": self.fractions, "seed": self.seed}
        if kind == "order":
            return split_by_order(variants, self.rows.asked, self.counted, **wish)
        return split_by_site(variants, self.labels, **wish)

    def by_group(self, of_protein: IntArray) -> tuple[IntArray, float | None]:
        """Return the part of each row, and the share of pairs that random parts would keep."""
        ends = of_protein[self.rows.members]
        if ends.shape[1] == 2:
            return self._pairs(ends)
        clusters = numbered(ends[:, 0])
        return split_by_cluster(clusters, self.labels, self.fractions, seed=self.seed), None

    def _pairs(self, ends: IntArray) -> tuple[IntArray, float]:
        """Assign whole groups to parts; a pair across two parts gets none."""
        graph = PairGraph(
            groups=numbered(ends[self.usable]),
            strata=numbered(self.labels[self.usable].argmax(axis=1)),
            weights=self.counted[self.usable].astype(np.float64),
        )
        of_group = split_pair_graph(graph, self.fractions, seed=self.seed)
        part = np.full(len(ends), NOWHERE, dtype=np.int64)
        part[self.usable] = inside(of_group[graph.groups])
        by_chance = kept_by_chance(graph, self.fractions, seed=self.seed)
        return part, by_chance


def counted_rows(rows: SplitRows, usable: BoolArray, *, self_pairs: str) -> BoolArray:
    """Return the first usable row of each example, without self-pairs unless they are kept."""
    where = np.flatnonzero(usable)
    counted = np.zeros(len(usable), dtype=bool)
    counted[where[np.unique(rows.asked[where], return_index=True)[1]]] = True
    return counted if self_pairs == "keep" else counted & ~rows.selfs()


def numbered(values: IntArray) -> IntArray:
    """Return the values numbered from 0 in order of first appearance, in the same shape."""
    return pd.factorize(values.ravel())[0].reshape(values.shape).astype(np.int64)


def inside(parts: IntArray) -> IntArray:
    """Return the part of pairs whose two proteins are in the same part, else -1."""
    return np.where(parts[:, 0] == parts[:, 1], parts[:, 0], NOWHERE)


def kept_by_chance(graph: PairGraph, fractions: FloatArray, *, seed: int) -> float:
    """Return the share of pairs inside a part if groups are assigned at random.

    The group sizes are such that the kept pairs have the requested shares on average.
    """
    roots = np.sqrt(fractions) / np.sqrt(fractions).sum()
    count = int(graph.groups.max()) + 1
    part = np.random.default_rng(seed).choice(len(fractions), count, p=roots)
    kept = inside(part[graph.groups]) != NOWHERE
    return float(graph.weights[kept].sum() / max(graph.weights.sum(), 1))


def refuse_empty_parts(rows: SplitRows, plan: SplitPlan) -> None:
    """Raise if a requested part has no counted row.

    Raises
    ------
    InputError
        Names the empty parts and the largest group.
    """
    counts = np.bincount(plan.part[plan.counted & (plan.part >= 0)], minlength=len(PARTS))
    empty = [PARTS[k] for k in np.flatnonzero((counts == 0) & (plan.fractions > 0))]
    if not empty:
        return
    counted, largest = int(plan.counted.sum()), largest_group(rows, plan)
    obstacle = "" if largest is None else f"; {largest.name} in {largest.share:.0%} of them"
    what = "pairs" if rows.level == "pair" else "sequences"
    crossing = int((plan.usable & (plan.part == NOWHERE)).sum())
    if plan.kind == "position" and crossing:
        obstacle = f"; {crossing:,} of them change at sites of two parts"
    raise InputError(
        f"{' and '.join(empty)} would be empty: {counted:,} {what} cannot be divided like this"
        f"{obstacle}",
        where="--fractions",
        fix="Give more rows or larger shares, set a share to 0 to omit that part, or "
        "allow similar sequences in different parts (a higher --identity, `--similarity none`, "
        "or, for variants of one protein, `--kind position`, `order` or `random`)",
    )


@dataclass(frozen=True)
class LargestGroup:
    """The group of similar sequences with the most rows: its name and its share of the rows."""

    name: str
    share: float


def largest_group(rows: SplitRows, plan: SplitPlan) -> LargestGroup | None:
    """Return the group with the most counted rows, or None for random rows."""
    if plan.groups is None or not plan.counted.any():
        return None
    ends = plan.groups.of_protein[rows.members[plan.counted]]
    touched = np.unique(
        np.stack([np.repeat(np.arange(len(ends)), ends.shape[1]), ends.ravel()]), axis=1
    )
    rows_of_group = np.bincount(touched[1])
    hub = int(rows_of_group.argmax())
    proteins = np.flatnonzero(plan.groups.of_protein == hub)
    name = rows.proteins.ids[int(proteins[0])]
    similar = f" and the {len(proteins) - 1:,} similar to it are" if len(proteins) > 1 else " is"
    return LargestGroup(f"{name}{similar}", float(rows_of_group[hub] / len(ends)))


def draw_negatives(rows: SplitRows, plan: SplitPlan, config: SplitConfig) -> list[SampledNegatives]:
    """Draw negatives inside each part, in sequence numbers.

    Raises
    ------
    InputError
        If no negative is possible in a part.
    """
    pairs = rows.numbers[rows.members]
    refused = pairs[positive_rows(rows)]
    different = ~rows.selfs()
    drawn = []
    for number, name in enumerate(PARTS):
        chosen = (plan.part == number) & plan.counted & different
        found = sample_negatives(
            pairs[chosen], refused, ratio=config.negative_ratio, seed=config.seed + number
        )
        if chosen.any() and not len(found.members):
            raise InputError(
                f"no negatives can be drawn for {name}: all pairs of its proteins are positive",
                where="--negatives",
                fix="Give more pairs, or give this part a larger share with --fractions",
            )
        refused = np.concatenate([refused, found.members])
        drawn.append(found)
    return drawn
