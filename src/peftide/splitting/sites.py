"""Variants of one sequence come in; their parts, by site or by number of changes, go out."""

from dataclasses import dataclass

import numpy as np

from peftide.errors import InputError
from peftide.sequences.parts import PARTS
from peftide.similarity.reference import changes, reference_of
from peftide.splitting.clusters import split_by_cluster
from peftide.splitting.rows import SplitRows
from peftide.splitting.stratified import split_at_random
from peftide.types import BoolArray, FloatArray, IntArray

NOWHERE = -1
TRAIN, TEST = PARTS.index("train"), PARTS.index("test")


@dataclass(frozen=True)
class VariantRows:
    """The changed sites of each row of a table of variants.

    Attributes
    ----------
    row, site
        Each changed site of each row, once. Shape (E,) each.
    count
        Number of rows B.
    """

    row: IntArray
    site: IntArray
    count: int

    @property
    def changes(self) -> IntArray:
        """Number of changed sites of each row. Shape (B,)."""
        return np.bincount(self.row, minlength=self.count)


def are_variants(rows: SplitRows) -> bool:
    """Return whether the sequences of a table are variants of one."""
    return rows.level != "pair" and _reference(rows) is not None


def variant_rows(rows: SplitRows, *, kind: str) -> VariantRows:
    """Return the changed sites of each row, against the wild type or the commonest residues.

    Raises
    ------
    InputError
        If the sequences are not variants of one.
    """
    reference = _reference(rows)
    if reference is None:
        raise InputError(
            "the sequences are not variants of one",
            expected="at least 10 sequences; most must share half of their residues with one",
            where=f"--kind {kind}",
            fix="Use `--kind cluster`, or `--kind random`",
        )
    found = changes([rows.proteins.sequences[p] for p in rows.members[:, 0]], reference)
    row, site = np.unique(np.stack([found.sequence, found.site]), axis=1)
    return VariantRows(row, site, len(rows.members))


def split_by_site(
    variants: VariantRows, labels: FloatArray, fractions: FloatArray, *, seed: int
) -> IntArray:
    """Return the part of each row such that no site changes in two parts.

    A row whose sites are in different parts has none (-1). Rows without changes are in train.

    Parameters
    ----------
    labels
        Share of every class in each row. Shape (B, K).

    Examples
    --------
    >>> rows, sites = np.array([0, 1, 2, 3, 3]), np.array([5, 5, 9, 5, 9])
    >>> wish, variants = np.array([0.6, 0, 0.4]), VariantRows(rows, sites, 5)
    >>> split_by_site(variants, np.ones((5, 1)), wish, seed=0).tolist()
    [0, 0, 2, -1, 0]
    """
    _, number = np.unique(variants.site, return_inverse=True)
    of_change = split_by_cluster(number, labels[variants.row], fractions, seed=seed)
    lowest = np.full(variants.count, len(PARTS))
    highest = np.full(variants.count, NOWHERE)
    np.minimum.at(lowest, variants.row, of_change)
    np.maximum.at(highest, variants.row, of_change)
    part = np.where(lowest == highest, highest, NOWHERE)
    part[variants.changes == 0] = TRAIN
    return part


def split_by_order(
    variants: VariantRows,
    asked: IntArray,
    counted: BoolArray,
    *,
    fractions: FloatArray,
    seed: int,
) -> IntArray:
    """Return the part of each row: test for two changes or more, else train or validation.

    Rows without changes are in train.

    Parameters
    ----------
    asked, counted
        As `split_at_random` takes them.
    fractions
        Of train and validation only the ratio counts.

    Raises
    ------
    InputError
        If no row has several changes, or none has at most one, or test has no share.
    """
    single = variants.changes <= 1
    if single.all() or not single.any():
        has = "at most one change" if single.all() else "two changes or more"
        raise InputError(
            f"every variant has {has}",
            expected="variants with one change, and variants with more",
            where="--kind order",
            fix="Use `--kind position`, or `--kind random`",
        )
    if not fractions[TEST]:
        raise InputError(
            "a share of 0 for test",
            expected="a share above 0: test gets all variants with two changes or more",
            where="--fractions",
        )
    part = np.full(variants.count, TEST)
    shares = np.append(fractions[:TEST] / fractions[:TEST].sum(), 0.0)
    strata = np.zeros(int(single.sum()), dtype=np.int64)
    part[single] = split_at_random(
        asked[single], counted[single], strata, fractions=shares, seed=seed
    )
    part[variants.changes == 0] = TRAIN
    return part


def _reference(rows: SplitRows) -> str | None:
    """Return the wild type, or the commonest residues of each site; None without variants."""
    return rows.wild_type or reference_of(list(dict.fromkeys(rows.proteins.sequences)))
