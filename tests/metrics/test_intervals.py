import numpy as np
import pytest
from scipy.stats import t as student

from peftide.metrics import Replicates, Units, intervals, no_interval_reason, resample
from peftide.metrics.weighted import weighted_binary

AUROC = ("auroc",)
SINGLE = Units(np.arange(20)[:, None], "sequence")
PAIRS = Units(np.stack([np.arange(20), np.roll(np.arange(20), 1)], axis=1), "protein")


def draws(spread: float, *, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=1000)
    return 0.7 + spread * (values - values.mean()) / values.std(ddof=1)


def test_of_single_units_the_interval_is_students() -> None:
    """Hand calculation: 0.7 ± t(19) · 0.02."""
    found = intervals(Replicates({AUROC: 0.7}, {AUROC: draws(0.02)}), SINGLE)[AUROC]
    half = student.ppf(0.975, 19) * 0.02
    assert (found.low, found.high) == pytest.approx((0.7 - half, 0.7 + half))
    assert found.conservative_low is None


@pytest.mark.parametrize(
    ("by_units", "by_rows", "variance"),
    [(0.03, 0.01, 0.0009 - 2 * 0.0001), (0.012, 0.01, 0.0001)],
    ids=["corrected", "floored"],
)
def test_of_pairs_the_noise_of_pairs_is_counted_once(
    by_units: float, by_rows: float, variance: float
) -> None:
    given = Replicates({AUROC: 0.7}, {AUROC: draws(by_units)}, {AUROC: draws(by_rows, seed=1)})
    found = intervals(given, PAIRS)[AUROC]
    half = student.ppf(0.975, 19) * np.sqrt(variance)
    assert (found.low, found.high) == pytest.approx((0.7 - half, 0.7 + half))
    ends = np.quantile(given.by_units[AUROC], [0.025, 0.975])
    assert (found.conservative_low, found.conservative_high) == pytest.approx(tuple(ends))


def test_an_interval_stays_within_the_bounds_of_its_score() -> None:
    wide = Replicates(
        {AUROC: 0.99, ("r2",): 0.9, ("rmse",): 0.1, ("per_class", "C1", "f1"): 0.01},
        {name: draws(0.5) for name in (AUROC, ("r2",), ("rmse",), ("per_class", "C1", "f1"))},
    )
    found = intervals(wide, SINGLE)
    assert found[AUROC].high == 1
    assert found["r2",].high == 1
    assert found["r2",].low == pytest.approx(0.9 - student.ppf(0.975, 19) * 0.5)
    assert found["rmse",].low == 0
    assert found["per_class", "C1", "f1"].low == 0
    free = intervals(wide, SINGLE, of_differences=True)[AUROC]
    assert free.high is not None
    assert free.high > 1


def test_without_enough_units_there_is_a_reason_and_no_resample_no_interval() -> None:
    assert no_interval_reason(Units(np.zeros((5, 1), dtype=int), "cluster")) == (
        "only 1 cluster: intervals need 10"
    )
    assert no_interval_reason(Units(np.arange(10)[:, None], "cluster")) is None
    assert intervals(Replicates({AUROC: 0.7}), SINGLE)[AUROC].low is None


def test_a_score_that_is_often_undefined_gets_no_interval() -> None:
    values = draws(0.02)
    values[:50] = np.nan
    assert intervals(Replicates({AUROC: 0.7}, {AUROC: values}), SINGLE)[AUROC].low is not None
    values[:150] = np.nan
    assert intervals(Replicates({AUROC: 0.7}, {AUROC: values}), SINGLE)[AUROC].low is None


def test_a_score_that_never_changes_gets_no_interval_but_no_difference_is_one() -> None:
    perfect = Replicates({AUROC: 1.0}, {AUROC: np.ones(100)})
    assert intervals(perfect, SINGLE)[AUROC].low is None
    same = Replicates({AUROC: 0.0}, {AUROC: np.zeros(100)})
    found = intervals(same, SINGLE, of_differences=True)[AUROC]
    assert (found.low, found.high) == (0, 0)


def pairs_that_share_proteins(
    proteins: int, count: int, *, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs, labels, and scores in which some proteins are easier than others."""
    generator = np.random.default_rng(seed)
    members = generator.integers(0, proteins, (count, 2))
    labels = generator.integers(0, 2, count)
    ease = 0.7 * generator.normal(size=proteins)
    scores = labels * (1 + ease[members].sum(axis=1)) + generator.normal(size=count)
    return members, labels, scores


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say_where_pairs_share_proteins() -> None:
    """The truth is AUROC of a million pairs of other proteins; 300 trials: ±2.5 points (2 SD)."""
    _, labels, scores = pairs_that_share_proteins(300_000, 1_000_000, seed=10**6)
    everything = weighted_binary(labels[:, None], scores, (), threshold=0.5)
    truth = everything(np.ones((1, len(labels))))[AUROC][0]
    held = {"corrected": 0, "pairs alone": 0}
    for seed in range(300):
        members, labels, scores = pairs_that_share_proteins(300, 3000, seed=seed)
        units = Units(members, "protein")
        rows = Units(np.arange(3000)[:, None], "pair")
        statistic = weighted_binary(labels[:, None], scores, (), threshold=0.5)
        found = resample({"model": statistic}, units, seed=seed, replicates=300)["model"]
        alone = Replicates(found.values, found.by_rows)
        for name, one in (
            ("corrected", intervals(found, units)[AUROC]),
            ("pairs alone", intervals(alone, rows)[AUROC]),
        ):
            assert one.low is not None
            assert one.high is not None
            held[name] += one.low <= truth <= one.high
    assert 0.92 <= held["corrected"] / 300 <= 0.97
    assert held["pairs alone"] / 300 < 0.85


@pytest.mark.slow
def test_clusters_that_are_resampled_hold_the_truth_as_often_as_they_say() -> None:
    """Rows of a cluster share their error, as homologues do."""
    generator = np.random.default_rng(0)
    held = {"cluster": 0, "row": 0}
    cluster = np.repeat(np.arange(60), 10)
    for trial in range(300):
        values = generator.normal(size=60)[cluster] + generator.normal(size=600)

        def mean(
            weights: np.ndarray, values: np.ndarray = values
        ) -> dict[tuple[str, ...], np.ndarray]:
            return {("r2",): weights @ values / weights.sum(axis=1)}  # has no lower bound

        for kind, members in (("cluster", cluster), ("row", np.arange(600))):
            units = Units(members[:, None], kind)
            found = resample({"a": mean}, units, seed=trial, replicates=300)["a"]
            one = intervals(found, units)["r2",]
            assert one.low is not None
            assert one.high is not None
            held[kind] += one.low <= 0 <= one.high
    assert 0.92 <= held["cluster"] / 300 <= 0.97
    assert held["row"] / 300 < 0.85
