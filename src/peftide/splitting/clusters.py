"""Clusters of rows come in; the part of each cluster goes out, with balanced sizes and labels."""

import numpy as np

from peftide.types import FloatArray, IntArray

PASSES = 3
LARGEST = 2.0
"""Factor by which a part may exceed its requested size to get a rare class."""


def split_by_cluster(
    clusters: IntArray, labels: FloatArray, fractions: FloatArray, *, seed: int
) -> IntArray:
    """Return the part of each row, such that every cluster is in one part.

    The largest clusters are placed first, each in the part that brings sizes and label shares
    closest to the request. Then single clusters move while that reduces the distance. Finally, a
    part without rows of a class gets the smallest cluster with such rows, if the other part keeps
    rows of the class.

    Parameters
    ----------
    clusters
        Cluster of each row, numbered from 0. Shape (B,).
    labels
        Share of every class in each row, from `label_shares`. Shape (B, K); K may be 0.
    fractions
        Requested share of each part.
    seed
        Seed for the order of equal clusters.

    Returns
    -------
    IntArray
        Index of the part. Shape (B,).

    Examples
    --------
    >>> clusters = np.array([0, 0, 0, 0, 1, 1, 2, 3])
    >>> split_by_cluster(clusters, np.zeros((8, 0)), np.array([0.5, 0.25, 0.25]), seed=0)[:4]
    array([0, 0, 0, 0])
    """
    generator = np.random.default_rng(seed)
    contents = _contents(clusters, labels)
    # all labels together weigh as much as the sizes
    weight = np.array([1.0] + [1.0 / max(labels.shape[1], 1)] * (contents.shape[1] - 1))
    open_parts = np.flatnonzero(fractions > 0)
    state = _Balance(contents, fractions[open_parts], weight)
    by_size = np.lexsort((generator.random(len(contents)), -contents.max(axis=1)))
    for cluster in by_size:
        state.place(int(cluster))
    for _ in range(PASSES):
        if not state.improve(generator.permutation(len(contents))):
            break
    state.spread_classes()
    return open_parts[state.part[clusters]]


def _contents(clusters: IntArray, labels: FloatArray) -> FloatArray:
    """Share of each cluster among all rows and among every class. Shape (G, 1 + K)."""
    columns = [np.ones(len(clusters)), *labels.T]
    sums = np.stack([np.bincount(clusters, weights=column) for column in columns], axis=1)
    return sums / np.maximum(sums.sum(axis=0), 1e-12)


class _Balance:
    """The part of each cluster, and the distance of the parts from the request."""

    def __init__(self, contents: FloatArray, fractions: FloatArray, weight: FloatArray) -> None:
        self.contents, self.fractions, self.weight = contents, fractions, weight
        self.part = np.full(len(contents), -1, dtype=np.int64)
        self.missing = np.repeat(fractions[:, None], contents.shape[1], axis=1)

    def place(self, cluster: int) -> bool:
        """Put a cluster into the part where it fits best; return whether it moved."""
        before, content = self.part[cluster], self.contents[cluster]
        if before >= 0:
            self.missing[before] += content
        # change of Σ weight · missing² / fraction if the part got the cluster
        cost = (self.weight * content * (content - 2 * self.missing)).sum(axis=1) / self.fractions
        chosen = int(cost.argmin())
        if before >= 0 and cost[chosen] >= cost[before] - 1e-12:
            chosen = int(before)
        self.part[cluster] = chosen
        self.missing[chosen] -= content
        return bool(chosen != before)

    def improve(self, order: IntArray) -> bool:
        """Try each cluster once; return whether any moved."""
        moved = [self.place(int(cluster)) for cluster in order]
        return any(moved)

    def spread_classes(self) -> None:
        """Give each part that lacks a class the smallest cluster with this class, if possible.

        Otherwise a rare class with few clusters would be closest to its request entirely in train.
        """
        last_first = [0, *range(len(self.fractions) - 1, 0, -1)]
        for column in range(1, self.contents.shape[1]):
            for part in last_first:
                if not self._has(part, column):
                    self._fetch(part, column)

    def _has(self, part: int, column: int) -> bool:
        return bool((self.contents[self.part == part, column] > 0).any())

    def _fetch(self, part: int, column: int) -> None:
        candidates = np.flatnonzero((self.contents[:, column] > 0) & (self.part != part))
        for cluster in candidates[np.argsort(self.contents[candidates, 0], kind="stable")]:
            size = self.contents[self.part == part, 0].sum() + self.contents[cluster, 0]
            if size <= LARGEST * self.fractions[part] and self._can_leave(int(cluster)):
                self.missing[self.part[cluster]] += self.contents[cluster]
                self.missing[part] -= self.contents[cluster]
                self.part[cluster] = part
                return

    def _can_leave(self, cluster: int) -> bool:
        """Whether the part of a cluster keeps rows of all the cluster's classes without it."""
        others = (self.part == self.part[cluster]) & (np.arange(len(self.part)) != cluster)
        kept = (self.contents[others] > 0).any(axis=0)
        return bool((kept | (self.contents[cluster] == 0)).all())
