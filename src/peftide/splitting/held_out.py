"""A data set without a validation part comes in; it goes out with one taken from train."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from peftide.errors import InputError
from peftide.quantities import count_of
from peftide.sequences.dataset import keep_used_proteins, select_rows
from peftide.sequences.records import Dataset, Examples, Finding
from peftide.sequences.repeats import distinct_examples, distinct_sequences
from peftide.sequences.tallies import row_findings
from peftide.splitting.clusters import split_by_cluster
from peftide.splitting.groups import groups_by_cluster
from peftide.splitting.label_shares import label_shares
from peftide.types import BoolArray, IntArray

Kind = Literal["auto", "random", "none_seen", "cluster"]
TOO_FEW = "Give more rows, another --validation-fraction, or a table with --validation"
FEWEST_PAIRS = 100
FEWEST_OF_CLASS = 10
LEAST_KEPT = 0.5


@dataclass(frozen=True, eq=False)
class _Choice:
    """Rows of validation and train, with the kind and reason. Shapes (B,) and (B,)."""

    inside: BoolArray
    outside: BoolArray
    kind: str
    reason: str = ""


def hold_out_validation(dataset: Dataset, *, fraction: float, kind: Kind, seed: int) -> Dataset:
    """Return the data set with a validation part made of rows of its train part.

    Repeats of an example stay together, so no sequence (for pairs: no pair) is on both sides. The
    wild type of variants stays in train, because all predictions are compared with it.

    Parameters
    ----------
    dataset
        Parts with "train" and without "validation".
    fraction
        Share of the counted rows to hold out, between 0 and 1; for "none_seen", the share among
        the rows that remain.
    kind
        "random" holds out random rows. "none_seen" holds out random proteins: pairs of two such
        proteins are validation, pairs of two other proteins are train, and mixed pairs are dropped.
        "cluster" holds out whole clusters of single sequences, with balanced labels. "auto" uses
        "cluster" if the table has a cluster column, "none_seen" for pairs, and "random" otherwise.
        "auto" also uses "random" if the other kind would leave train less than half of its rows,
        or would leave validation only one label, fewer than 100 pairs, or fewer than 10 pairs with
        one of the two most common labels.
    seed
        Seed of the choice.

    Raises
    ------
    InputError
        If the fraction is not between 0 and 1, one side would be empty, a validation part already
        exists, or the kind does not fit the rows.
    """
    train = dataset.parts["train"]
    _check_request(dataset, fraction=fraction, kind=kind)
    choice = _Chooser(dataset, fraction, seed).choose(kind)
    inside, outside = choice.inside, choice.outside
    how = f"{choice.kind}, fraction {fraction}, seed {seed}"
    held_out = {"train": select_rows(train, outside), "validation": select_rows(train, inside)}
    held = replace(
        dataset,
        parts=held_out | {k: v for k, v in dataset.parts.items() if k != "train"},
        findings=dataset.findings + _findings(train, choice, how=how),
    )
    shared = _shared_proteins(held) + shared_clusters(held)
    return keep_used_proteins(replace(held, findings=held.findings + shared))


def shared_clusters(dataset: Dataset) -> tuple[Finding, ...]:
    """Return a finding that counts the clusters that validation shares with train, if any."""
    train, validation = dataset.parts["train"], dataset.parts["validation"]
    own = set(validation.clusters or ()) - {""}
    shared = own & set(train.clusters or ())
    if not shared:
        return ()
    decision = (
        f"of {len(own):,} validation clusters are also in train: scores on validation are higher "
        "than on new clusters (to hold out whole clusters, leave out --validation and use "
        "`--validation-kind cluster`)"
    )
    return (Finding("validation", "shared_clusters", len(shared), decision),)


def _shared_proteins(dataset: Dataset) -> tuple[Finding, ...]:
    """Count the proteins of validation that are still in train."""
    numbers = distinct_sequences(dataset.proteins)
    train, validation = dataset.parts["train"], dataset.parts["validation"]
    shared = np.intersect1d(numbers[train.members], numbers[validation.members])
    if not len(shared):
        return ()
    decision = (
        "also in train, because the pairs were held out at random: scores on validation are "
        "higher than on new proteins (`--validation-kind none_seen` holds out whole proteins)"
    )
    return (Finding("validation", "shared_proteins", len(shared), decision),)


def _check_request(dataset: Dataset, *, fraction: float, kind: str) -> None:
    train = dataset.parts["train"]
    if "validation" in dataset.parts:
        raise InputError("there is already a validation part", where="validation")
    if not 0 < fraction < 1:
        raise InputError(
            f"received {fraction}",
            expected="a share between 0 and 1",
            where="--validation-fraction",
        )
    if kind == "none_seen" and train.members.shape[1] == 1:
        raise InputError(
            "none_seen needs pairs, but these rows have one protein each",
            where="--validation-kind",
            fix="Use `--validation-kind random`: it never puts one sequence on both sides",
        )
    if kind == "cluster" and train.clusters is None:
        raise InputError(
            "cluster needs single sequences with a cluster column, but there is none",
            where="--validation-kind",
            fix="Name the column with --cluster-column, or use `--validation-kind random`",
        )


class _Chooser:
    """Chooses rows of train for validation."""

    def __init__(self, dataset: Dataset, fraction: float, seed: int) -> None:
        self.train, self.fraction, self.seed = dataset.parts["train"], fraction, seed
        self.numbers = distinct_sequences(dataset.proteins)
        pairs = self.train.members.shape[1] == 2
        firsts = self.train.members[:, 0]
        lengths = None if pairs else [len(dataset.proteins.sequences[first]) for first in firsts]
        labels = label_shares(self.train.labels, lengths=lengths)
        self.labels = labels.values if labels.names else np.ones((len(firsts), 1))
        sequences = np.array(dataset.proteins.sequences, dtype=object)
        self.free = (sequences != dataset.wild_type)[firsts]
        self.careful = "none_seen" if pairs else "cluster"
        self.ways = {
            "random": self._random,
            "none_seen": self._none_seen,
            "cluster": self._cluster,
        }

    def choose(self, kind: Kind) -> _Choice:
        """Return the rows of validation and of train.

        Raises
        ------
        InputError
            If one of the two would be empty.
        """
        if kind == "auto":
            return self._auto()
        inside, outside = self._way(kind)
        counted = self.train.counted
        if not (counted & inside).any() or not (counted & outside).any():
            raise InputError(
                f"{counted.sum():,} counted rows are too few to hold out validation rows",
                where=self.train.path,
                fix=TOO_FEW,
            )
        return _Choice(inside, outside, kind)

    def _way(self, kind: str) -> tuple[BoolArray, BoolArray]:
        inside, outside = self.ways[kind]()
        if self.free.all():
            return inside, outside
        return inside & self.free, outside | ~self.free

    def _auto(self) -> _Choice:
        if self.careful == "cluster" and self.train.clusters is None:
            return self.choose("random")
        inside, outside = self._way(self.careful)
        if problem := self._shortage(inside, outside):
            reason = f"; {self.careful} would leave {problem}"
            return replace(self.choose("random"), reason=reason)
        reason = "; the table has clusters, so each stays whole"
        if self.careful == "none_seen":
            kept = (self.train.counted & outside).sum() / self.train.counted.sum()
            reason = f", {kept:.0%} of its pairs"
        return _Choice(inside, outside, self.careful, reason)

    def _shortage(self, inside: BoolArray, outside: BoolArray) -> str:
        """Return which part of a choice is too small, as text; empty if none is."""
        counted = self.train.counted
        kept, strata = (counted & outside).sum(), self.labels.argmax(axis=1)
        if kept < LEAST_KEPT * counted.sum():
            return f"train only {kept:,} of {counted.sum():,} rows"
        classes = np.bincount(strata[counted])
        own = np.bincount(strata[counted & inside], minlength=len(classes))
        commonest = np.argsort(-classes, kind="stable")[: min(2, (classes > 0).sum())]
        fewest = FEWEST_OF_CLASS if self.careful == "none_seen" else 1
        if self.careful == "none_seen" and own.sum() < FEWEST_PAIRS:
            return f"validation only {count_of(own.sum(), 'pair')}"
        if len(commonest) == 2 and own[commonest].min() < fewest <= classes[commonest].min():
            fewest_rows = count_of(own[commonest].min(), "row")
            return f"validation only {fewest_rows} of one of the most common labels"
        return ""

    def _random(self) -> tuple[BoolArray, BoolArray]:
        asked = distinct_examples(self.train.members, self.numbers)
        order = np.random.default_rng(self.seed).permutation(int(asked.max()) + 1)
        sizes = np.bincount(asked, weights=self.train.counted)[order]
        wanted = max(1, round(self.fraction * sizes.sum()))
        taken = int(np.searchsorted(np.cumsum(sizes), wanted)) + 1
        inside = np.isin(asked, order[:taken])
        return inside, ~inside

    def _none_seen(self) -> tuple[BoolArray, BoolArray]:
        """Whole proteins; mixed rows are in neither part."""
        counted, generator = self.train.counted, np.random.default_rng(self.seed)
        order = generator.permutation(int(self.numbers.max()) + 1)
        place = order[self.numbers[self.train.members]]
        low, high = place.min(axis=1), place.max(axis=1)
        # counts for every cut k at once: the proteins with places below k are the held-out ones
        cuts = np.arange(1, int(high.max()) + 1)
        inside = np.searchsorted(np.sort(high[counted]), cuts)
        outside = counted.sum() - np.searchsorted(np.sort(low[counted]), cuts)
        possible = np.flatnonzero((inside > 0) & (outside > 0))
        if not len(possible):
            return np.zeros(len(low), dtype=bool), np.ones(len(low), dtype=bool)
        share = inside[possible] / (inside + outside)[possible]
        cut = cuts[possible[np.argmin(np.abs(share - self.fraction))]]
        return high < cut, low >= cut

    def _cluster(self) -> tuple[BoolArray, BoolArray]:
        """Whole clusters; equal sequences stay together too."""
        train, counted = self.train, self.train.counted
        assert train.clusters is not None
        of_protein = groups_by_cluster(train.clusters, train.members, self.numbers)
        groups: IntArray = of_protein[train.members[:, 0]]
        present, numbered = np.unique(groups[counted], return_inverse=True)
        fractions = np.array([1 - self.fraction, self.fraction])
        part = split_by_cluster(numbered, self.labels[counted], fractions, seed=self.seed)
        inside = np.isin(groups, present[np.unique(numbered[part == 1])])
        return inside, ~inside


def _findings(train: Examples, choice: _Choice, *, how: str) -> tuple[Finding, ...]:
    held = Finding(
        "validation",
        "held_out_rows",
        int(choice.inside.sum()),
        f"taken from train ({how}); train keeps {int(choice.outside.sum()):,}{choice.reason}",
    )
    mixed = row_findings(
        "train",
        "mixed_pairs_dropped",
        ~(choice.inside | choice.outside),
        where=train.where,
        decision="one protein is in train and one in validation",
    )
    return (held, *mixed)
