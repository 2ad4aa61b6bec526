import numpy as np
import pytest
from scipy.stats import norm as gaussian
from scipy.stats import t as student

from peftide.metrics import (
    Interval,
    Replicates,
    Support,
    Units,
    intervals,
    label_support,
    no_interval_reason,
    resample,
)
from peftide.metrics.weighted import weighted_binary

AUROC = ("auroc",)
SINGLE = Units(np.arange(20)[:, None], "sequence")
PAIRS = Units(np.stack([np.arange(20), np.roll(np.arange(20), 1)], axis=1), "protein")


def draws(spread: float, *, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=1000)
    return 0.7 + spread * (values - values.mean()) / values.std(ddof=1)


def ends(value: float, spread: float, *, count: int, low: float = 0.0) -> tuple[float, float]:
    """Return ends by hand: t · √(k / (k − 1)) · spread on log odds of the range from low to 1."""
    moved = student.ppf(0.975, count - 1) * np.sqrt(count / (count - 1)) * spread / (1 - low)
    share = (value - low) / (1 - low)
    centre, moved = np.log(share / (1 - share)), moved / (share * (1 - share))
    first, last = (low + (1 - low) / (1 + np.exp(-end)) for end in (centre - moved, centre + moved))
    return first, last


def of_20(name: tuple[str, ...], value: float = 0.7, **support: int) -> Interval:
    """Return the interval of a score with a spread of 0.02 in resamples of 20 sequences."""
    given = Replicates({name: value}, {name: draws(0.02)})
    carriers = {"positives": 20, "negatives": 20} | support
    known = {name[:-1]: Support(carriers["positives"], carriers["negatives"])}
    return intervals(given, SINGLE, support=known)[name]


def test_of_single_units_the_interval_is_students_on_log_odds() -> None:
    found = intervals(Replicates({AUROC: 0.7}, {AUROC: draws(0.02)}), SINGLE)[AUROC]
    assert (found.low, found.high) == pytest.approx(ends(0.7, 0.02, count=20))
    assert found.conservative_low is found.reason is None
    mcc = intervals(Replicates({("mcc",): 0.7}, {("mcc",): draws(0.02)}), SINGLE)["mcc",]
    assert (mcc.low, mcc.high) == pytest.approx(ends(0.7, 0.02, count=20, low=-1))


def test_an_r2_from_useless_to_perfect_has_no_interval() -> None:
    r2 = ("r2",)
    found = intervals(Replicates({r2: -101.0}, {r2: draws(60.0)}), SINGLE)[r2]
    assert (found.low, found.high) == (None, None)
    assert found.reason == "it would reach from a useless to a perfect score"
    found = intervals(Replicates({r2: -101.0}, {r2: draws(20.0)}), SINGLE)[r2]
    assert found.low is not None
    assert found.high is not None
    assert found.low < -101 < found.high < 0


def test_few_positives_widen_an_interval_and_too_few_leave_none() -> None:
    found = of_20(AUROC, positives=5)
    assert (found.low, found.high) == pytest.approx(ends(0.7, 0.02, count=5))
    found = of_20(AUROC, positives=4)
    assert (found.low, found.high, found.conservative_low) == (None, None, None)
    assert found.reason == "too few positives (4): an interval needs 5 or more"
    found = of_20(("per_class", "C2", "f1"), negatives=2)
    assert found.low is None
    assert "negatives (2)" in str(found.reason)


@pytest.mark.parametrize(
    ("score", "positives", "negatives", "count"),
    [
        ("recall", 7, 1, 7),
        ("specificity", 1, 7, 7),
        ("accuracy", 1, 1, 20),
        ("brier", 1, 1, 20),
        ("precision", 9, 7, 7),
    ],
)
def test_each_score_rests_on_the_labels_that_it_is_made_of(
    score: str, positives: int, negatives: int, count: int
) -> None:
    found = of_20((score,), positives=positives, negatives=negatives)
    assert (found.low, found.high) == pytest.approx(ends(0.7, 0.02, count=count))


def test_mcc_of_positives_that_are_all_missed_has_no_interval() -> None:
    given = Replicates({("mcc",): -0.1, ("f1",): 0.0}, {("mcc",): draws(0.02)})
    found = intervals(given, SINGLE)["mcc",]
    assert found.low is None
    assert "no positive" in str(found.reason)


@pytest.mark.parametrize("rare", [2, 5])
def test_a_macro_mean_adds_the_errors_of_its_classes(rare: int) -> None:
    """Hand calculation; below 5 a class has at least the mean variance of one carrier, over k."""
    sizes = {"A": 15, "B": rare}
    spreads = {"A": 0.08, "B": 0.03}
    names = {kind: ("per_class", kind, "auroc") for kind in sizes}
    macro = ("macro_auroc",)
    by_units: dict[tuple[str, ...], np.ndarray] = {macro: draws(0.04)}
    by_units |= {names[kind]: draws(spreads[kind]) for kind in sizes}
    given = Replicates({macro: 0.7}, by_units)
    support = {names[kind][:-1]: Support(sizes[kind], 20) for kind in sizes}
    support |= {("per_class", "absent"): Support(0, 20)}
    found = intervals(given, SINGLE, support=support)[macro]
    errors = {"A": 0.08**2 * 15 / 14 / 4, "B": 0.03**2 * rare / (rare - 1) / 4}
    one_carrier = (errors["A"] * 15 + errors["B"] * rare) / 2
    if rare < 5:
        errors["B"] = max(errors["B"], one_carrier / rare)
    raw = (0.03**2 + 0.08**2) / 4
    total = 0.04**2 + sum(errors.values()) - raw
    weighed = errors["A"] ** 2 / 14 + errors["B"] ** 2 / (rare - 1)
    half = student.ppf(0.975, min(total**2 / weighed, 19)) * np.sqrt(total) / (0.7 * 0.3)
    low, high = (1 / (1 + np.exp(-(np.log(0.7 / 0.3) + sign * half))) for sign in (-1, 1))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_a_macro_mean_of_rare_classes_alone_has_no_interval() -> None:
    macro = ("macro_f1",)
    support = {("per_class", kind): Support(4, 16) for kind in "AB"}
    found = intervals(Replicates({macro: 0.7}, {macro: draws(0.1)}), SINGLE, support=support)[macro]
    assert found.low is None
    assert found.reason == "every class has 4 or fewer rows: an interval needs 5"


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
    assert (found.low, found.high) == pytest.approx(ends(0.7, np.sqrt(variance), count=20))
    outer = np.quantile(given.by_units[AUROC], [0.025, 0.975])
    assert found.low is not None
    assert found.high is not None
    widest = min(found.low, outer[0]), max(found.high, outer[1])
    assert (found.conservative_low, found.conservative_high) == pytest.approx(widest)


def test_close_to_a_bound_the_conservative_interval_still_holds_the_interval() -> None:
    near = np.minimum(np.random.default_rng(0).normal(0.985, 0.02, size=500), 1.0)
    given = Replicates({AUROC: 0.985}, {AUROC: near}, {AUROC: draws(0.001, seed=1)})
    found = intervals(given, PAIRS)[AUROC]
    assert np.quantile(near, 0.025) > found.low  # the percentiles alone are narrower
    assert found.conservative_low == found.low
    assert found.conservative_high == 1.0


def test_an_interval_stays_within_the_bounds_of_its_score() -> None:
    wide = Replicates(
        {AUROC: 0.99, ("r2",): 0.9, ("rmse",): 0.1, ("per_class", "C1", "f1"): 0.01},
        {name: draws(0.5) for name in (AUROC, ("r2",), ("rmse",), ("per_class", "C1", "f1"))},
    )
    found = intervals(wide, SINGLE)
    assert found[AUROC].high == pytest.approx(1)
    assert found["r2",].high == 1
    half = student.ppf(0.975, 19) * 0.5 * np.sqrt(20 / 19)
    assert found["r2",].low == pytest.approx(0.9 - half)
    assert found["rmse",].low == 0
    assert found["per_class", "C1", "f1"].low == pytest.approx(0)
    free = intervals(wide, SINGLE, of_differences=True)[AUROC]
    assert free.low is not None
    assert free.low < 0
    assert free.high == 1  # two scores from 0 to 1 differ by at most 1


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


@pytest.mark.parametrize("of_differences", [False, True])
def test_a_score_or_difference_that_never_changes_gets_no_interval(of_differences: bool) -> None:
    """Two perfect predictors differ by nothing in every resample, whatever the truth is."""
    constant = Replicates({AUROC: 0.5}, {AUROC: np.full(100, 0.5)})
    found = intervals(constant, SINGLE, of_differences=of_differences)[AUROC]
    assert found.low is None
    assert found.reason is not None


def test_a_score_at_the_end_of_its_range_gets_no_interval() -> None:
    found = of_20(("precision",), 1.0)
    assert found.low is None
    assert found.reason == "the score is the best or worst possible"


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


@pytest.mark.slow
def test_intervals_of_five_positives_hold_the_truth() -> None:
    """AUROC of 300 rows; by Student's t for 300 units instead of 5 it is 69 % of 300 trials."""
    generator, labels = np.random.default_rng(0), (np.arange(300) < 5)[:, None].astype(float)
    units = Units(np.arange(300)[:, None], "sequence")
    support, truth = label_support(labels, units), float(gaussian.cdf(2.6 / np.sqrt(2)))
    held = []
    for trial in range(300):
        scores = generator.normal(size=300) + 2.6 * labels[:, 0]
        statistic = weighted_binary(labels, scores, (), threshold=2.0)
        found = resample({"model": statistic}, units, seed=trial, replicates=200)["model"]
        one = intervals(found, units, support=support)[AUROC]
        if one.low is not None and one.high is not None:
            held.append(one.low <= truth <= one.high)
    assert len(held) > 250
    assert np.mean(held) >= 0.93
