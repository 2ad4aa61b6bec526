"""Variants of one sequence: a linear model on the residues at each site, and on pairs of sites."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from peftide.baselines.letters import OTHER, as_bytes, from_bytes, letter_codes
from peftide.baselines.penalised import PenalisedModel, fit_penalised
from peftide.similarity.reference import (
    DELETED,
    INSERTED,
    Changes,
    changes,
    consensus,
    reference_of,
)
from peftide.types import FloatArray, IntArray

MOST_PAIRED = 16
"""Varying sites up to which pairs of them are features."""

MOST_FEATURES = 2_500  # the commonest; the time of a fit grows with their third power
GAP, MORE = OTHER + 1, OTHER + 2
CODES = MORE + 1
"""Codes of what is at a site: a residue as in `letters`, none, or more than one."""
PAIR_SCALE = 0.5  # pairs are rarer and matter less than single residues
FEWEST_ROWS = 2  # train sequences with a residue; one that a single sequence has says nothing


@dataclass(frozen=True)
class Sites:
    """A fitted baseline of variants; made by `fit_sites` or `fit_site_pairs`.

    Attributes
    ----------
    reference
        The sequence from which changes are counted.
    columns
        Features of train, as numbers that `site_features` makes. Shape (F,).
    paired
        Sites whose residues are features as pairs. Shape (S,).
    model
        On these features.
    """

    reference: str
    columns: IntArray
    paired: IntArray
    model: PenalisedModel

    def predict(self, sequences: Sequence[str], members: IntArray) -> FloatArray:
        """Yield a probability (B,), probabilities (B, K) or a value (B,) per row.

        Examples
        --------
        >>> sequences, members = ["MKVLAG", "MKVLAC", "MKWLAG", "MRVLAG"], np.arange(4)[:, None]
        >>> baseline = fit_sites(sequences, members, np.array([1, 0, 1, 1]), kind="continuous")
        >>> answers = baseline.predict(["MKVLAC", "MKVLAG"], np.array([[0], [1]]))
        >>> bool(answers[0] < answers[1])
        True
        """
        found = site_features(sequences, self.reference, self.paired)
        return self.model.predict(_in_columns(found, len(sequences), self.columns), members)

    def arrays(self) -> dict[str, np.ndarray]:
        """Yield all numbers by name, and the reference as its letters."""
        letters = as_bytes(self.reference)
        known = {"reference": letters, "columns": self.columns, "paired": self.paired}
        return known | self.model.arrays()


def load_sites(arrays: Mapping[str, np.ndarray], *, kind: str, proteins_per_example: int) -> Sites:
    """Yield the baseline that `Sites.arrays` came from."""
    assert proteins_per_example == 1
    reference = from_bytes(arrays["reference"])
    model = PenalisedModel.from_arrays(arrays, kind=kind)
    return Sites(reference, arrays["columns"], arrays["paired"], model)


def fit_sites(
    sequences: Sequence[str],
    members: IntArray,
    targets: np.ndarray,
    *,
    kind: str,
    wild_type: str | None = None,
) -> Sites:
    """Fit labels on the changes of variants: which sites, which residues before and after.

    Features: each site that changes, each new residue at a site, and how often each residue is
    replaced and comes in. The last two are about sites that train leaves unchanged, too.

    Parameters
    ----------
    sequences
        Proteins; only proteins that `members` names have an influence.
    members
        Index of each row's sequence. Shape (B, 1).
    targets, kind
        As `peftide.baselines.linear.fit_linear` takes them.
    wild_type
        Sequence from which changes are counted; default: the commonest residue of each site.

    Raises
    ------
    InputError
        If members and targets do not fit together.
    """
    train = _used(sequences, members)
    reference = wild_type or consensus(train)
    none = np.zeros(0, dtype=np.int64)
    return _fitted(train, reference, none, rows=(sequences, members, targets), kind=kind)


def fit_site_pairs(
    sequences: Sequence[str],
    members: IntArray,
    targets: np.ndarray,
    *,
    kind: str,
    wild_type: str | None = None,
) -> Sites:
    """Fit labels on the features of `fit_sites`, and on the residues at each pair of sites.

    Pairs of more than 16 varying sites are left out.
    """
    train = _used(sequences, members)
    reference = wild_type or consensus(train)
    sites = np.unique(changes(train, reference).site)
    paired = sites if len(sites) <= MOST_PAIRED else sites[:0]
    return _fitted(train, reference, paired, rows=(sequences, members, targets), kind=kind)


def are_variants(sequences: Sequence[str]) -> bool:
    """Return whether sequences are variants of one."""
    return reference_of(sequences) is not None


def are_proteins(sequences: Sequence[str]) -> bool:
    """Return whether sequences are different proteins, not variants of one protein."""
    return not are_variants(sequences)


def vary_at_few_sites(sequences: Sequence[str]) -> bool:
    """Return whether sequences are variants that change at 2 to 16 sites, also two at a time.

    Examples
    --------
    >>> singles = ["MKVLAG", "MKVLAC", "MKWLAG", "MRVLAG"] * 3
    >>> vary_at_few_sites(singles), vary_at_few_sites([*singles, "MRVLAC"])
    (False, True)
    """
    reference = reference_of(sequences)
    if reference is None:
        return False
    found = changes(sequences, reference)
    together = np.bincount(found.sequence).max(initial=0)
    return bool(2 <= len(np.unique(found.site)) <= MOST_PAIRED and together >= 2)


@dataclass(frozen=True)
class Found:
    """Features of sequences.

    Attributes
    ----------
    sequence, column
        Number of the sequence and number of the feature, once for each time that it has the
        feature. Shape (E,) each.
    """

    sequence: IntArray
    column: IntArray


def site_features(sequences: Sequence[str], reference: str, paired: IntArray) -> Found:
    """Return the features of variants.

    Numbers of features, in this order: the site changes, a residue at a site, a residue comes in,
    a residue is replaced, and two residues at two of the `paired` sites.

    Examples
    --------
    >>> site_features(["MKV", "MRV"], "MKV", np.zeros(0, dtype=int)).column.tolist()
    [1, 40, 86, 103]
    """
    found = changes(sequences, reference)
    length = len(reference)
    before, codes = letter_codes(reference)[found.site], _codes(found)
    columns = [
        found.site,
        length + found.site * CODES + codes,
        length * (1 + CODES) + codes,
        length * (1 + CODES) + CODES + before,
    ]
    single = Found(np.tile(found.sequence, 4), np.concatenate(columns))
    if not len(paired):
        return single
    pairs = _pairs(found, reference, paired, count=len(sequences))
    return Found(
        np.concatenate([single.sequence, pairs.sequence]),
        np.concatenate([single.column, pairs.column + _first_pair(length)]),
    )


def _pairs(found: Changes, reference: str, paired: IntArray, *, count: int) -> Found:
    """Return the pairs of residues that sequences have at two sites, changed or not."""
    there = np.tile(letter_codes(reference)[paired], (count, 1))
    place = np.searchsorted(paired, found.site)
    codes = _codes(found)
    known = (place < len(paired)) & (codes <= GAP)
    known[known] &= paired[place[known]] == found.site[known]
    there[found.sequence[known], place[known]] = codes[known]
    first, second = np.triu_indices(len(paired), 1)
    number = np.arange(len(first)) * CODES**2
    columns = number + there[:, first] * CODES + there[:, second]
    return Found(np.repeat(np.arange(count), len(first)), columns.ravel())


def _codes(found: Changes) -> IntArray:
    """Return the code of each change."""
    letters = bytes(found.letter.tolist()).decode("ascii")
    codes = letter_codes(letters)
    codes[found.letter == DELETED], codes[found.letter == INSERTED] = GAP, MORE
    return codes


def _used(sequences: Sequence[str], members: IntArray) -> list[str]:
    return [sequences[int(number)] for number in np.unique(members)]


def _fitted(
    train: Sequence[str],
    reference: str,
    paired: IntArray,
    *,
    rows: tuple[Sequence[str], IntArray, np.ndarray],
    kind: str,
) -> Sites:
    sequences, members, targets = rows
    columns = _columns(site_features(train, reference, paired), reference, paired)
    scaling = np.where(columns >= _first_pair(len(reference)), PAIR_SCALE, 1.0)
    features = _in_columns(site_features(sequences, reference, paired), len(sequences), columns)
    model = fit_penalised(features, members, targets, kind=kind, scalings=[scaling])
    return Sites(reference, columns, paired, model)


def _columns(found: Found, reference: str, paired: IntArray) -> IntArray:
    """Return the commonest features of train, in ascending order; at least one."""
    columns, counts = np.unique(found.column, return_counts=True)
    length = len(reference)
    if not len(paired):
        at_site = (columns >= length) & (columns < length * (1 + CODES))
        enough = ~at_site | (counts >= FEWEST_ROWS)
        columns, counts = columns[enough], counts[enough]
    commonest = np.argsort(-counts, kind="stable")[:MOST_FEATURES]
    return np.sort(columns[commonest]) if len(columns) else np.zeros(1, dtype=np.int64)


def _first_pair(length: int) -> int:
    """Return the number of the first feature of two residues."""
    return (length + 2) * (1 + CODES)


def _in_columns(found: Found, count: int, columns: IntArray) -> csr_matrix:
    """Return how often each sequence has each feature. Shape (P, F)."""
    place = np.minimum(np.searchsorted(columns, found.column), len(columns) - 1)
    known = columns[place] == found.column
    entries = np.ones(int(known.sum())), (found.sequence[known], place[known])
    return csr_matrix(entries, shape=(count, len(columns)))
