"""How often 95% intervals hold the truth, on simulated pairs that share proteins.

    python benchmarks/interval_coverage.py [--trials 400]

Some proteins are predicted better than others: the score of a pair is noise, plus for positives one
plus the ease of its two proteins. With hubs, some proteins have many more pairs than others. The
truth is the score of two million pairs of half a million proteins.
"""

import argparse
from dataclasses import dataclass

import numpy as np

from peftide.metrics import Replicates, Units, intervals, minus, resample
from peftide.metrics.weighted import Statistic, weighted_binary

REPLICATES = 300
NAME = ("average_precision",)
METHODS = ("corrected", "pairs alone", "conservative")


@dataclass(frozen=True)
class Case:
    """One kind of data: how many proteins and pairs, how much proteins differ, and hubs or not."""

    proteins: int
    pairs: int
    ease: float
    hubs: float


CASES = (
    Case(300, 6000, 0.0, 0.0),
    Case(300, 6000, 0.7, 0.0),
    Case(300, 6000, 0.7, 1.0),
    Case(100, 1000, 0.7, 0.0),
    Case(40, 300, 0.7, 0.0),
)
"""In the first all proteins are alike, so that its pairs are as good as independent."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=400)
    trials = parser.parse_args().trials
    print(f"share of {trials} intervals that hold the truth, and their mean width")
    print(f"{'proteins':>8} {'pairs':>6} {'ease':>6} {'hubs':>4}  score      ", end="")
    print("".join(f"  {method:>14}" for method in METHODS))
    for case in CASES:
        for kind, found in coverage(case, trials=trials).items():
            cells = "".join(
                f"  {share:6.1%} {width:7.4f}" for share, width in (found[m] for m in METHODS)
            )
            setting = f"{case.proteins:8,} {case.pairs:6,} {case.ease:6} {case.hubs:4}"
            print(f"{setting}  {kind:11}{cells}", flush=True)


def coverage(case: Case, *, trials: int) -> dict[str, dict[str, tuple[float, float]]]:
    """Return score or difference → method → share of intervals with the truth, and their width."""
    units, whole = simulate(Case(500_000, 2_000_000, case.ease, case.hubs), seed=10**6)
    truth = values(whole, len(units.members))
    held: dict[str, dict[str, list[tuple[bool, float]]]] = {
        kind: {method: [] for method in METHODS} for kind in truth
    }
    for seed in range(trials):
        units, statistics = simulate(case, seed=seed)
        found = resample(statistics, units, seed=seed, replicates=REPLICATES)
        for kind, one in {"first": found["first"], "difference": difference(found)}.items():
            for method, (low, high) in ends(one, units).items():
                held[kind][method].append((low <= truth[kind] <= high, high - low))
    return {
        kind: {
            method: (
                float(np.mean([inside for inside, _ in seen])),
                float(np.mean([width for _, width in seen])),
            )
            for method, seen in methods.items()
        }
        for kind, methods in held.items()
    }


def simulate(case: Case, *, seed: int) -> tuple[Units, dict[str, Statistic]]:
    """Return pairs, and the scores of two predictors that agree on most of what is easy."""
    generator = np.random.default_rng(seed)
    busy = np.exp(case.hubs * generator.normal(size=case.proteins))
    members = generator.choice(case.proteins, (case.pairs, 2), p=busy / busy.sum())
    members = members[members[:, 0] != members[:, 1]]
    labels = generator.integers(0, 2, len(members))
    shared, noise = generator.normal(size=case.proteins), generator.normal(size=len(members))
    statistics = {}
    for name, lift in (("first", 1.0), ("second", 0.9)):
        own = 0.8 * shared + 0.6 * generator.normal(size=case.proteins)
        own_noise = 0.8 * noise + 0.6 * generator.normal(size=len(members))
        scores = labels * (lift + case.ease * own[members].sum(axis=1)) + own_noise
        statistics[name] = weighted_binary(labels[:, None], scores, (), threshold=0.5)
    return Units(members, "protein"), statistics


def values(statistics: dict[str, Statistic], rows: int) -> dict[str, float]:
    """Return the truth: average precision of the first predictor, and its lead."""
    found = {
        name: float(statistic(np.ones((1, rows)))[NAME][0])
        for name, statistic in statistics.items()
    }
    return {"first": found["first"], "difference": found["first"] - found["second"]}


def difference(found: dict[str, Replicates]) -> Replicates:
    return minus(found["first"], found["second"])


def ends(found: Replicates, units: Units) -> dict[str, tuple[float, float]]:
    """Return the ends of each method's interval."""
    one = intervals(found, units, of_differences=True)[NAME]
    pairs = Units(np.arange(len(units.members))[:, None], "pair")
    naive = intervals(Replicates(found.values, found.by_rows), pairs, of_differences=True)[NAME]
    return {
        "corrected": (one.low, one.high),
        "pairs alone": (naive.low, naive.high),
        "conservative": (one.conservative_low, one.conservative_high),
    }


if __name__ == "__main__":
    main()
