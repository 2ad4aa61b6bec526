"""How often 95% intervals hold the truth, in simulations.

    python benchmarks/interval_coverage.py [rare | macro | pairs] [--trials 400] [--workers 2]

`rare`: 300 rows with few positives, and 1,000 pairs of 100 proteins with few positives. `macro`: a
mean over ten unequal classes; rare classes are easier or harder to predict, or 30% of all positives
score no higher than negatives. `pairs`: pairs that share proteins. Positives score higher than
negatives by a lift; some proteins are predicted better than others. The truth is the score of about
a million rows (ten classes: 100,000). The column `plain` holds value ± t · standard deviation of
resampled rows, with one degree of freedom less than there are rows.
"""

import argparse
import platform
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from recording import add_record_option, write_record
from scipy.stats import t as student

from peftide.metrics import Interval, Replicates, Units, intervals, label_support, minus, resample
from peftide.metrics.weighted import Name, Statistic, weighted_binary, weighted_categorical

REPLICATES = 300
MANY = 1_000_000
RANKING = ("average_precision", "auroc")
SCORES = (*RANKING, "mcc", "f1", "precision", "recall")


@dataclass(frozen=True)
class Case:
    """One kind of data.

    Attributes
    ----------
    sizes
        Number of positives; or of the members of each class.
    rows
        Number of rows. With `proteins` each row is a pair.
    lifts
        How much higher positives score, for each class.
    proteins
        Number of proteins of pairs; 0 for single sequences.
    ease, hubs
        How much proteins differ, and how unequal their numbers of pairs are.
    hard
        Share of the positives that score no higher than negatives.
    """

    sizes: tuple[int, ...]
    rows: int
    lifts: tuple[float, ...]
    proteins: int = 0
    ease: float = 0.0
    hubs: float = 0.0
    hard: float = 0.0

    @property
    def said(self) -> str:
        """What sets this case apart from others with the same sizes."""
        if self.hard:
            return f"{self.hard:.0%} hard"
        return "rare easier" if self.lifts[-1] > self.lifts[0] else "rare harder"

    def enlarged(self) -> "Case":
        """Return the same kind of data with about a million rows × classes."""
        times = MANY // (self.rows * len(self.sizes))
        proteins = 250_000 if self.proteins else 0
        sizes = tuple(size * times for size in self.sizes)
        return Case(sizes, self.rows * times, self.lifts, proteins, self.ease, self.hubs, self.hard)


UNEQUAL = (
    (100, 70, 45, 30, 20, 13, 9, 6, 4, 3),
    (90, 65, 45, 32, 22, 15, 11, 8, 7, 5),
    (220, 40, 20, 5, 5, 2, 2, 2, 2, 2),
)
CASES = {
    "rare": (
        *(Case((k,), 300, (lift,)) for lift in (1.0, 2.0, 3.5) for k in (3, 4, 5, 10, 30, 100)),
        *(Case((k,), 1000, (2.0,), proteins=100, ease=0.5) for k in (4, 5, 10, 30, 100)),
    ),
    "macro": tuple(
        Case(sizes, 300, lifts)
        for sizes in UNEQUAL
        for lifts in (tuple(np.linspace(1, 3, 10).round(2)), tuple(np.linspace(3, 1, 10).round(2)))
    )
    + (Case(UNEQUAL[2], 300, (2.5,) * 10, hard=0.3),),
    "pairs": tuple(
        Case((pairs // 2,), pairs, (1.0,), proteins, ease, hubs)
        for proteins, pairs, ease, hubs in (
            (300, 6000, 0.0, 0.0),
            (300, 6000, 0.7, 0.0),
            (300, 6000, 0.7, 1.0),
            (100, 1000, 0.7, 0.0),
            (40, 300, 0.7, 0.0),
        )
    ),
}
SHOWN = {"rare": SCORES, "macro": ("macro_average_precision", "macro_auroc"), "pairs": RANKING[:1]}


COLUMNS = ("table", "positives", "rows", "proteins", "ease", "hubs", "score", "truth")
COLUMNS += ("without", "plain", "peftide")
LINE = "{:<24} {:>11} {:>9} {:>5} {:>5}  {:<25} {:>6} {:>9} {:>14} {:>14}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tables", nargs="*", default=list(CASES), metavar="TABLE")
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    add_record_option(parser)
    given = parser.parse_args()
    print(f"{given.trials} trials, seeds 0 to {given.trials - 1}, {REPLICATES} resamples; {cpu()}")
    print(LINE.format(*COLUMNS[1:]))
    rows = []
    with ProcessPoolExecutor(given.workers) as pool:
        for table in given.tables:
            work = partial(lines, scores=SHOWN[table], trials=given.trials)
            for found in pool.map(work, CASES[table]):
                print("\n".join(LINE.format(*row) for row in found), flush=True)
                rows += [[table, *row] for row in found]
    write_record(given.record, *without_constants(COLUMNS, rows))


def without_constants(
    columns: Sequence[str], rows: Sequence[list[str]]
) -> tuple[list[str], list[list[str]]]:
    """Return a table without the columns that have the same cell in all rows."""
    kept = [k for k in range(len(columns)) if len({row[k] for row in rows}) > 1]
    return [columns[k] for k in kept], [[row[k] for k in kept] for row in rows]


def cpu() -> str:
    """Return the name of the processor."""
    known = Path("/proc/cpuinfo")
    found = known.read_text().splitlines() if known.exists() else []
    names = [line.split(":")[1].strip() for line in found if line.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else platform.processor()


def lines(case: Case, scores: tuple[str, ...], trials: int) -> list[list[str]]:
    """Return a row per score and per difference of two predictors, and the same for resamples."""
    truth, seen = coverage(case, scores, trials=trials)
    sizes = ",".join(map(str, case.sizes)) if len(case.sizes) < 3 else f"{case.sizes[0]} to"
    sizes += f" {min(case.sizes)}, {case.said}" if len(case.sizes) > 2 else ""
    setting = [sizes, f"{case.rows:,}", f"{case.proteins:,}", f"{case.ease}", f"{case.hubs}"]
    table = []
    for kind, tried in seen.items():
        both = [pair for pair in tried if pair[1].low is not None]
        cells = [held([pair[k] for pair in both], truth[kind]) for k in (0, 1)]
        without = 1 - len(both) / len(tried)
        table.append([*setting, kind, f"{truth[kind]:.3f}", f"{without:.0%}", *cells])
    return table


def held(found: list[Interval], truth: float) -> str:
    """Return the share of intervals that hold the truth, and their mean width."""
    ends = [(one.low, one.high) for one in found if one.low is not None and one.high is not None]
    if not ends:
        return "–"
    inside = np.mean([low <= truth <= high for low, high in ends])
    return f"{inside:.1%}, {np.mean([high - low for low, high in ends]):.3f}"


def coverage(
    case: Case, scores: tuple[str, ...], *, trials: int
) -> tuple[dict[str, float], dict[str, list[tuple[Interval, Interval]]]]:
    """Return the truth of each score and difference, and their plain and own intervals."""
    _, _, statistics = simulate(case.enlarged(), seed=10**6)
    rows = case.enlarged().rows
    whole = {name: of(np.ones((1, rows))) for name, of in statistics.items()}
    truth = {score: float(whole["first"][(score,)][0]) for score in scores}
    truth |= {
        f"{score} diff.": truth[score] - float(whole["second"][(score,)][0]) for score in scores
    }
    seen: dict[str, list[tuple[Interval, Interval]]] = {kind: [] for kind in truth}
    for seed in range(trials):
        units, values, statistics = simulate(case, seed=seed)
        found = resample(statistics, units, seed=seed, replicates=REPLICATES, threads=1)
        names = [str(k) for k in range(len(case.sizes))]
        support = label_support(values, units, names, by_class=len(names) > 1)
        lead = minus(found["first"], found["second"])
        for ending, one in (("", found["first"]), (" diff.", lead)):
            own = intervals(one, units, support=support, of_differences=bool(ending))
            for score in scores:
                seen[f"{score}{ending}"].append((plain(one, (score,), units), own[(score,)]))
    return truth, seen


def plain(found: Replicates, name: Name, units: Units) -> Interval:
    """Return value ± t · standard deviation; for pairs as if rows were independent."""
    draws = found.by_rows if units.are_pairs else found.by_units
    count = len(units.members) if units.are_pairs else units.count
    half = student.ppf(0.975, count - 1) * float(np.nanstd(draws[name], ddof=1))
    return Interval(found.values[name] - half, found.values[name] + half)


def simulate(case: Case, *, seed: int) -> tuple[Units, np.ndarray, dict[str, Statistic]]:
    """Return units, labels, and the scores of two predictors that agree on most of what is easy."""
    generator = np.random.default_rng(seed)
    units = Units(np.arange(case.rows)[:, None], "sequence")
    classes = np.repeat(np.arange(len(case.sizes) + 1), [*case.sizes, case.rows - sum(case.sizes)])
    labels = (classes[:, None] == np.arange(len(case.sizes))).astype(np.float64)
    if case.proteins:
        units = Units(pairs(case, generator), "protein")
    shared = generator.normal(size=max(case.proteins, 1))
    noise = generator.normal(size=labels.shape)
    easy = np.random.default_rng((seed, 1)).random(case.rows) >= case.hard
    statistics = {}
    for name, weaker in (("first", 0.0), ("second", 0.1)):
        own = 0.8 * shared + 0.6 * generator.normal(size=len(shared))
        ease = case.ease * own[units.members].sum(axis=1) if case.proteins else np.zeros(case.rows)
        lifts = np.array(case.lifts) * (1 - weaker) * easy[:, None]
        scores = labels * (lifts + ease[:, None])
        scores += 0.8 * noise + 0.6 * generator.normal(size=labels.shape)
        statistics[name] = statistic(case, labels, scores)
    return units, labels, statistics


def statistic(case: Case, labels: np.ndarray, scores: np.ndarray) -> Statistic:
    """Return the scores as a function of weights."""
    if len(case.sizes) > 1:
        names = tuple(str(k) for k in range(len(case.sizes)))
        return weighted_categorical(labels, scores, names, threshold=0.5)
    # near the best cut: rarer positives are predicted from a higher score on
    odds = np.log(case.rows / case.sizes[0] - 1)
    cut = case.lifts[0] / 2 + min(odds / case.lifts[0], 1.0)
    return weighted_binary(labels, scores[:, 0], (), threshold=cut)


def pairs(case: Case, generator: np.random.Generator) -> np.ndarray:
    """Return pairs of two different proteins; hubs have many."""
    busy = np.exp(case.hubs * generator.normal(size=case.proteins))
    first = generator.choice(case.proteins, case.rows, p=busy / busy.sum())
    second = generator.choice(case.proteins, case.rows, p=busy / busy.sum())
    again = first == second
    second[again] = (second[again] + 1) % case.proteins
    return np.stack([first, second], axis=1)


if __name__ == "__main__":
    main()
