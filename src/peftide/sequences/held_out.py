"""A data set without validation part comes in; it goes out with one, taken from train."""

from dataclasses import replace
from typing import Literal

import numpy as np

from peftide.errors import InputError
from peftide.sequences.dataset import keep_used_proteins, select_rows
from peftide.sequences.records import Dataset, Examples, Finding
from peftide.sequences.repeats import distinct_examples, distinct_sequences
from peftide.sequences.tallies import row_findings
from peftide.types import BoolArray, IntArray

TOO_FEW = "Give more rows, another --validation-fraction, or a table with --validation"


def hold_out_validation(
    dataset: Dataset, *, fraction: float, kind: Literal["random", "none_seen"], seed: int
) -> Dataset:
    """Return the data set with a validation part made of rows of its train part.

    Repeats of one example stay together, so no sequence (of pairs: no pair) is on both sides.

    Parameters
    ----------
    dataset
        Parts with "train" and without "validation".
    fraction
        Share of the rows that count to hold out, between 0 and 1; of "none_seen", the share of
        the rows that remain.
    kind
        "random" takes rows at random. "none_seen" takes proteins at random: pairs of two of them
        are validation, pairs of two others are train, and mixed pairs are dropped.
    seed
        Seed of the choice.

    Raises
    ------
    InputError
        If the fraction is not between 0 and 1, one side would be empty, there is a validation
        part, or "none_seen" is asked of single sequences.
    """
    train = dataset.parts["train"]
    _check_request(dataset, fraction=fraction, kind=kind)
    numbers = distinct_sequences(dataset.proteins)
    generator = np.random.default_rng(seed)
    choose = _random_rows if kind == "random" else _unseen_rows
    inside, outside = choose(train, numbers, fraction=fraction, generator=generator)
    findings = _findings(train, inside, outside, how=f"{kind}, fraction {fraction}, seed {seed}")
    held_out = {"train": select_rows(train, outside), "validation": select_rows(train, inside)}
    return keep_used_proteins(
        replace(
            dataset,
            parts=held_out | {k: v for k, v in dataset.parts.items() if k != "train"},
            findings=dataset.findings + findings,
        )
    )


def _check_request(dataset: Dataset, *, fraction: float, kind: str) -> None:
    if "validation" in dataset.parts:
        raise InputError("there is a validation part already", where="validation")
    if not 0 < fraction < 1:
        raise InputError(
            f"received {fraction}",
            expected="a share between 0 and 1",
            where="--validation-fraction",
        )
    if kind == "none_seen" and dataset.parts["train"].members.shape[1] == 1:
        raise InputError(
            "none_seen is for pairs, and these rows have one protein each",
            where="--validation-kind",
            fix="Use `--validation-kind random`: it never puts one sequence on both sides",
        )


def _random_rows(
    train: Examples, numbers: IntArray, *, fraction: float, generator: np.random.Generator
) -> tuple[BoolArray, BoolArray]:
    """Rows of validation and of train. Shapes (B,) and (B,)."""
    asked = distinct_examples(train.members, numbers)
    order = generator.permutation(int(asked.max()) + 1)
    sizes = np.bincount(asked, weights=train.counted)[order]
    wanted = max(1, round(fraction * sizes.sum()))
    taken = int(np.searchsorted(np.cumsum(sizes), wanted)) + 1
    inside = np.isin(asked, order[:taken])
    if not (train.counted & ~inside).any():
        raise _too_few(train)
    return inside, ~inside


def _unseen_rows(
    train: Examples, numbers: IntArray, *, fraction: float, generator: np.random.Generator
) -> tuple[BoolArray, BoolArray]:
    """Rows of validation and of train; mixed ones are in neither. Shapes (B,) and (B,)."""
    place = generator.permutation(int(numbers.max()) + 1)[numbers[train.members]]
    low, high = place.min(axis=1), place.max(axis=1)
    # counts for every cut k at once: the proteins with places below k are the held-out ones
    cuts = np.arange(1, int(high.max()) + 1)
    inside = np.searchsorted(np.sort(high[train.counted]), cuts)
    outside = train.counted.sum() - np.searchsorted(np.sort(low[train.counted]), cuts)
    possible = np.flatnonzero((inside > 0) & (outside > 0))
    if not len(possible):
        raise _too_few(train)
    share = inside[possible] / (inside + outside)[possible]
    cut = cuts[possible[np.argmin(np.abs(share - fraction))]]
    return high < cut, low >= cut


def _too_few(train: Examples) -> InputError:
    return InputError(
        f"{train.counted.sum():,} rows that count are too few to hold out validation rows",
        where=train.path,
        fix=TOO_FEW,
    )


def _findings(
    train: Examples, inside: BoolArray, outside: BoolArray, *, how: str
) -> tuple[Finding, ...]:
    held = Finding(
        "validation",
        "held_out_validation",
        int(inside.sum()),
        f"rows taken from train ({how}); {int(outside.sum()):,} stay there",
    )
    mixed = row_findings(
        "train",
        "mixed_pairs_dropped",
        ~(inside | outside),
        where=train.where,
        decision="rows dropped: one protein is in train and one in validation",
    )
    return (held, *mixed)
