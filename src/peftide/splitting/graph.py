"""Pairs between groups of proteins come in; the part of each group goes out, with few pairs cut.

The search has three aims: many pairs inside parts, the requested share of pairs in each part, and
the same share of every label. One number combines them: J = log(pairs kept) − β · Σ over labels of
KL(requested share ‖ share of each part among the label's kept pairs). Groups move to the part that
raises J, many at a time and with noise that falls to zero (simulated annealing). The best of
several runs is used.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from peftide.types import FloatArray, IntArray

BALANCE = 10.0
RUNS = 5
STEPS = 400
NOISE = 0.6
MOVING = 0.1
STILL_MOVING = 0.005


@dataclass(frozen=True)
class PairGraph:
    """Pairs between groups of proteins.

    Attributes
    ----------
    groups
        The two groups of each pair. Shape (B, 2).
    strata
        Class of each pair, from 0. Shape (B,).
    weights
        Weight of each pair. Shape (B,).
    """

    groups: IntArray
    strata: IntArray
    weights: FloatArray

    def adjacency(self, count: int) -> list[sparse.csr_array]:
        """Return, for each class, the summed weight between groups (inside a group, doubled)."""
        matrices = []
        for stratum in range(int(self.strata.max()) + 1):
            rows = self.strata == stratum
            left, right = self.groups[rows].T
            ends = np.concatenate([left, right]), np.concatenate([right, left])
            weights = np.tile(self.weights[rows], 2)
            matrices.append(sparse.coo_array((weights, ends), shape=(count, count)).tocsr())
        return matrices


def split_pair_graph(graph: PairGraph, fractions: FloatArray, *, seed: int) -> IntArray:
    """Return the part of each group, such that most pairs lie inside a part.

    Parameters
    ----------
    graph
        The pairs.
    fractions
        Requested share of each part among the kept pairs.
    seed
        Seed of the search.

    Returns
    -------
    IntArray
        Index of the part. Shape (G,), where G is the largest group number plus 1.

    Examples
    --------
    >>> ring = np.array([[0, 1], [1, 2], [2, 0], [3, 4], [4, 5], [5, 3]])
    >>> graph = PairGraph(ring, np.zeros(6, dtype=np.int64), np.ones(6))
    >>> parts = split_pair_graph(graph, np.array([0.5, 0.0, 0.5]), seed=0)
    >>> bool((parts[ring[:, 0]] == parts[ring[:, 1]]).all()), len(set(parts.tolist()))
    (True, 2)
    """
    count = int(graph.groups.max()) + 1
    matrices = graph.adjacency(count)
    open_parts = np.flatnonzero(fractions > 0)
    found = [
        _anneal(matrices, fractions[open_parts], np.random.default_rng([seed, run]))
        for run in range(RUNS)
    ]
    _, best = max(found, key=lambda run: run[0])
    return open_parts[best]


def _anneal(
    matrices: list[sparse.csr_array], fractions: FloatArray, generator: np.random.Generator
) -> tuple[float, IntArray]:
    """Return the best J of one run, and the parts with this J."""
    degrees = np.sum([matrix.sum(axis=1) for matrix in matrices], axis=0)
    degree_roots = np.sqrt(degrees)[:, None]
    # random parts of these sizes keep pairs in the requested shares
    roots = np.sqrt(fractions) / np.sqrt(fractions).sum()
    part = generator.choice(len(fractions), len(degrees), p=roots)
    best = (-np.inf, part)
    for step in range(STEPS):
        member = np.eye(len(fractions))[part]
        # pairs between each group and each part, by class: (G, parts, K)
        ties = np.stack([matrix @ member for matrix in matrices], axis=2)
        inside = np.einsum("gp,gpk->pk", member, ties) / 2
        goal = _goal(inside, fractions)
        best = max(best, (goal, part), key=lambda found: found[0])
        heat = 1 - step / STEPS
        gain = (ties * _prices(inside, fractions)).sum(axis=2)
        gain += NOISE * heat * degree_roots * generator.gumbel(size=gain.shape)
        moves = generator.random(len(degrees)) < MOVING * heat + STILL_MOVING
        part = np.where(moves, gain.argmax(axis=1), part)
    return best


def _goal(inside: FloatArray, fractions: FloatArray) -> float:
    """J of the pairs inside each part, by class. Shape (parts, K)."""
    totals = inside.sum(axis=0)
    shares = _shares(inside, totals)
    wish = fractions[:, None]
    divergence = (wish * np.log(wish / shares)).sum(axis=0)
    kept = max(totals.sum(), 0.5)
    return float(np.log(kept) - BALANCE * (totals / kept * divergence).sum())


def _prices(inside: FloatArray, fractions: FloatArray) -> FloatArray:
    """Increase of J per further pair of a class inside a part, times the kept pairs."""
    shares = _shares(inside, inside.sum(axis=0))
    return 1 + BALANCE * (fractions[:, None] / shares - 1)


def _shares(inside: FloatArray, totals: FloatArray) -> FloatArray:
    """Share of each part; a part without pairs counts as half a pair."""
    return np.maximum(inside, 0.5) / np.maximum(totals, 1.0)
