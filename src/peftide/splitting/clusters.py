"""Clusters of rows come in; the part of each cluster goes out, sizes and labels balanced."""

import numpy as np

from peftide.types import FloatArray, IntArray

PASSES = 3


def split_by_cluster(
    clusters: IntArray, labels: FloatArray, fractions: FloatArray, *, seed: int
) -> IntArray:
    """Return the part of each row, such that every cluster is in one part.

    The largest clusters are placed first, each where sizes and label shares come nearest to the
    wish; then single clusters move as long as that brings them nearer.

    Parameters
    ----------
    clusters
        Cluster of each row, numbered from 0. Shape (B,).
    labels
        How much each row has of every class, as `label_shares` gives it. Shape (B, K); K may be 0.
    fractions
        Wished share of each part.
    seed
        Seed of the order among equals.

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
    # labels together weigh as much as sizes do
    weight = np.array([1.0] + [1.0 / max(labels.shape[1], 1)] * (contents.shape[1] - 1))
    open_parts = np.flatnonzero(fractions > 0)
    state = _Balance(contents, fractions[open_parts], weight)
    by_size = np.lexsort((generator.random(len(contents)), -contents.max(axis=1)))
    for cluster in by_size:
        state.place(int(cluster))
    for _ in range(PASSES):
        if not state.improve(generator.permutation(len(contents))):
            break
    return open_parts[state.part[clusters]]


def _contents(clusters: IntArray, labels: FloatArray) -> FloatArray:
    """Share that each cluster has of all rows, and of every class. Shape (G, 1 + K)."""
    columns = [np.ones(len(clusters)), *labels.T]
    sums = np.stack([np.bincount(clusters, weights=column) for column in columns], axis=1)
    return sums / np.maximum(sums.sum(axis=0), 1e-12)


class _Balance:
    """Which cluster is where, and how far the parts are from the wish."""

    def __init__(self, contents: FloatArray, fractions: FloatArray, weight: FloatArray) -> None:
        self.contents, self.fractions, self.weight = contents, fractions, weight
        self.part = np.full(len(contents), -1, dtype=np.int64)
        self.missing = np.repeat(fractions[:, None], contents.shape[1], axis=1)

    def place(self, cluster: int) -> bool:
        """Put a cluster where it fits best; return whether it moved."""
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
