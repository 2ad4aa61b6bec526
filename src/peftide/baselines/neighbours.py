"""Variants of one sequence: the mean label of the variants at the same site, and near it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from peftide.baselines.checks import as_answers, check_as_fitted, check_members, checked_targets
from peftide.baselines.letters import as_bytes, from_bytes
from peftide.outcomes import OUTCOMES
from peftide.outcomes.shallow import as_columns
from peftide.similarity.reference import changes, consensus
from peftide.types import FloatArray, IntArray

REACHES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0)
"""Residues over which the weight of a neighbouring site falls to 1/e."""
WORTHS = (0.3, 1.0, 3.0, 10.0, 30.0)
"""Variants at the site itself that the mean of its neighbours is worth."""


@dataclass(frozen=True)
class Neighbours:
    """Fitted means of sites; made by `fit_neighbours`.

    Attributes
    ----------
    reference
        The commonest residue of each site in train.
    kind
        Kind of outcome, a key of `OUTCOMES`.
    of_site
        Mean label at each site, pulled towards its neighbours. Shape (L, K).
    overall
        Mean label of train, for sequences without a change. Shape (K,).
    """

    reference: str
    kind: str
    of_site: FloatArray
    overall: FloatArray

    def predict(self, sequences: Sequence[str], members: IntArray) -> FloatArray:
        """Yield a probability (B,), probabilities (B, K) or a value (B,) per row.

        A sequence with several changes gets the mean over its sites.

        Examples
        --------
        >>> sequences, members = ["MKVLAG", "MKVLAC", "MKVLAD", "MRVLAG"], np.arange(4)[:, None]
        >>> baseline = fit_neighbours(sequences, members, np.array([3, 0, 1, 3]), kind="continuous")
        >>> low, high = baseline.predict(["MKVLAE", "MNVLAG"], np.array([[0], [1]]))
        >>> bool(low < high)
        True
        """
        check_members(members, len(sequences))
        check_as_fitted(members, 1)
        owner, site = sites_of(sequences, self.reference)
        sums, counts = np.zeros((len(sequences), len(self.overall))), np.zeros(len(sequences))
        np.add.at(sums, owner, self.of_site[site])
        np.add.at(counts, owner, 1)
        means = np.where(counts[:, None], sums / np.maximum(counts, 1)[:, None], self.overall)
        return as_answers(means[members[:, 0]], OUTCOMES[self.kind])

    def arrays(self) -> dict[str, np.ndarray]:
        """Yield all numbers by name, and the reference as its letters."""
        return {
            "reference": as_bytes(self.reference),
            "of_site": self.of_site,
            "overall": self.overall,
        }


def load_neighbours(
    arrays: Mapping[str, np.ndarray], *, kind: str, proteins_per_example: int
) -> Neighbours:
    """Yield the baseline that `Neighbours.arrays` came from."""
    assert proteins_per_example == 1
    reference = from_bytes(arrays["reference"])
    return Neighbours(reference, kind, arrays["of_site"], arrays["overall"])


def fit_neighbours(
    sequences: Sequence[str], members: IntArray, targets: np.ndarray, *, kind: str
) -> Neighbours:
    """Fit the mean label of each site.

    The mean of a site is pulled towards the mean of other sites, whose weights fall with their
    distance. Errors on sites that are left out choose the distance; errors on variants that are
    left out choose the strength of the pull.

    Parameters
    ----------
    sequences
        Proteins; only proteins that `members` names have an influence.
    members
        Index of each row's sequence. Shape (B, 1).
    targets, kind
        As `peftide.baselines.linear.fit_linear` takes them.

    Raises
    ------
    InputError
        If members and targets do not fit together.
    """
    check_members(members, len(sequences))
    check_as_fitted(members, 1)
    labels = as_columns(checked_targets(targets, len(members), OUTCOMES[kind])).astype(np.float64)
    train = [sequences[int(number)] for number in members[:, 0]]
    reference = consensus(train)
    owner, site = sites_of(train, reference)
    sums, counts = np.zeros((len(reference), labels.shape[1])), np.zeros(len(reference))
    np.add.at(sums, site, labels[owner])
    np.add.at(counts, site, 1)
    overall = labels.mean(axis=0)
    around = _mean_around(sums, counts, overall)
    worth = _worth(labels[owner], around[site], sums=sums[site], counts=counts[site])
    of_site = (sums + worth * around) / (counts + worth)[:, None]
    return Neighbours(reference, kind, of_site, overall)


def sites_of(sequences: Sequence[str], reference: str) -> tuple[IntArray, IntArray]:
    """Return the changed sites of sequences, as number of the sequence and index of the site.

    Examples
    --------
    >>> [each.tolist() for each in sites_of(["MKVLAG", "MRVLAC"], "MKVLAG")]
    [[1, 1], [1, 5]]
    """
    found = changes(sequences, reference)
    both = np.unique(np.stack([found.sequence, found.site]), axis=1)
    return both[0], both[1]


def _mean_around(sums: FloatArray, counts: FloatArray, overall: FloatArray) -> FloatArray:
    """Return the mean of the other sites around each site, at the reach of the least error."""
    place, seen = np.arange(len(counts)), counts > 0
    apart = np.abs(place[:, None] - place).astype(np.float64)
    apart[(apart == 0) | ~seen] = np.inf
    nearest = np.minimum(apart.min(axis=1, keepdims=True), len(place))
    means = sums[seen] / counts[seen, None]
    found = []
    for reach in REACHES:
        # the nearest site has weight 1, so that far sites count if none is near
        weights = np.exp((nearest - apart) / reach)
        total = (weights @ counts)[:, None]
        around = np.where(total > 0, weights @ sums / np.maximum(total, 1), overall)
        found.append((float((counts[seen, None] * (means - around[seen]) ** 2).sum()), around))
    return min(found, key=lambda one: one[0])[1]


def _worth(
    labels: FloatArray, around: FloatArray, *, sums: FloatArray, counts: FloatArray
) -> float:
    """Return the worth with the least error on rows that are left out one at a time.

    Parameters
    ----------
    labels, around
        Label of each change, and the mean of the neighbours of its site. Shape (E, K).
    sums, counts
        Of the labels at its site. Shapes (E, K) and (E,).
    """
    errors = [
        float(((labels - (sums - labels + w * around) / (counts - 1 + w)[:, None]) ** 2).sum())
        for w in WORTHS
    ]
    return WORTHS[int(np.argmin(errors))]
