from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peftide.metrics import (
    Replicates,
    Support,
    Units,
    difference_record,
    difference_verdict,
    intervals,
    minus,
    resample,
    seed_average,
    seed_spread,
)
from peftide.metrics.weighted import weighted_binary

GENERATOR = np.random.default_rng(0)
LABELS = GENERATOR.integers(0, 2, (400, 1))
UNITS = Units(np.arange(400)[:, None], "sequence")


def scores(noise: float, *, seed: int = 0) -> np.ndarray:
    return LABELS[:, 0] + noise * np.random.default_rng(seed).normal(size=400)


def leads(first: np.ndarray, second: np.ndarray) -> dict[str, dict[str, float]]:
    statistics = {
        name: weighted_binary(LABELS, given, (), threshold=0.5)
        for name, given in {"a": first, "b": second}.items()
    }
    found = resample(statistics, UNITS, replicates=300)
    return difference_record(minus(found["a"], found["b"]), UNITS, n=400)


def test_a_clear_lead_does_not_span_zero_and_a_small_one_does() -> None:
    clear = leads(scores(0.5), scores(3.0))["auroc"]
    assert clear["low"] > 0
    assert clear["spans_zero"] is False
    first = scores(1.0)
    small = leads(first, first + 0.2 * GENERATOR.normal(size=400))["auroc"]
    assert small["spans_zero"] is True


def test_paired_resamples_cancel_what_is_shared() -> None:
    """Nearly equal predictions differ by far less than each is uncertain."""
    first = scores(1.0)
    lead = leads(first, first + 0.01 * GENERATOR.normal(size=400))["auroc"]
    alone = weighted_binary(LABELS, first, (), threshold=0.5)
    own = intervals(resample({"a": alone}, UNITS, replicates=300)["a"], UNITS)["auroc",]
    assert own.low is not None
    assert own.high is not None
    assert lead["high"] - lead["low"] < (own.high - own.low) / 10


def test_the_same_predictions_differ_by_nothing() -> None:
    lead = leads(scores(1.0), scores(1.0))["average_precision"]
    assert (lead["value"], lead["low"], lead["high"], lead["spans_zero"]) == (0, None, None, None)
    assert "reason" in lead


def test_a_lead_on_too_few_positives_is_no_evidence() -> None:
    statistics = {
        name: weighted_binary(LABELS, scores(noise), (), threshold=0.5)
        for name, noise in {"a": 0.1, "b": 3.0}.items()
    }
    found = resample(statistics, UNITS, replicates=100)
    lead = minus(found["a"], found["b"])
    few = difference_record(lead, UNITS, n=400, support={(): Support(4, 396)})["auroc"]
    assert few["low"] is few["high"] is few["spans_zero"] is None
    assert "positives (4)" in few["reason"]
    enough = difference_record(lead, UNITS, n=400, support={(): Support(5, 395)})["auroc"]
    assert enough["spans_zero"] is False


def test_classes_stand_behind_the_macro_lead_and_not_in_the_record() -> None:
    one = Replicates({("macro_f1",): 0.7, ("per_class", "A", "f1"): 0.5})
    assert ("per_class", "A", "f1") in minus(one, one).values
    assert set(difference_record(minus(one, one), UNITS, n=400)) == {"macro_f1"}


def test_a_share_of_labels_is_no_difference() -> None:
    assert "prevalence" not in leads(scores(1.0), scores(2.0))


def test_without_resamples_the_difference_stands_alone() -> None:
    first, second = (Replicates({("auroc",): value}) for value in (0.7, 0.6))
    lead = difference_record(minus(first, second), UNITS, n=400)["auroc"]
    assert lead["value"] == pytest.approx(0.1)
    assert lead["low"] is lead["spans_zero"] is None


def test_seeds_are_averaged_inside_each_resample() -> None:
    both = [weighted_binary(LABELS, scores(1.0, seed=seed), (), threshold=0.5) for seed in (1, 2)]
    weights = GENERATOR.integers(0, 3, (4, 400)).astype(float)
    mean = seed_average(both)(weights)["auroc",]
    np.testing.assert_allclose(mean, (both[0](weights)["auroc",] + both[1](weights)["auroc",]) / 2)


def test_the_spread_between_seeds_is_their_standard_deviation() -> None:
    assert seed_spread([0.6, 0.7]) == pytest.approx(np.std([0.6, 0.7], ddof=1))
    assert np.isnan(seed_spread([0.6]))


@pytest.mark.slow
def test_two_published_predictors_differ_as_far_as_shared_proteins_let_one_say(
    data: Path,
) -> None:
    """Reference: values found by an independent script, equal up to the noise of resamples."""
    tables = {
        name: pd.read_csv(data / "ppi_gold" / "peer_scores" / f"{name}.tsv", sep="\t")
        for name in ("TUnA", "ESM2-MLP")
    }
    first = tables["TUnA"]
    numbers = pd.factorize(first[["id_a", "id_b"]].to_numpy().ravel())[0].reshape(-1, 2)
    units = Units(numbers, "protein")
    statistics = {
        name: weighted_binary(
            first[["label"]].to_numpy(), table["score"].to_numpy(), (), threshold=0.5
        )
        for name, table in tables.items()
    }
    found = resample(statistics, units)
    name = ("average_precision",)
    own = intervals(found["TUnA"], units)[name]
    assert found["TUnA"].values[name] == pytest.approx(0.6919, abs=1e-4)
    assert (own.low, own.high) == pytest.approx((0.677, 0.707), abs=0.0015)
    assert (own.conservative_low, own.conservative_high) == pytest.approx((0.673, 0.710), abs=0.003)
    lead = minus(found["TUnA"], found["ESM2-MLP"])
    record = difference_record(lead, units, n=len(first))["average_precision"]
    assert record["value"] == pytest.approx(0.0123, abs=1e-4)
    assert (record["low"], record["high"]) == pytest.approx((0.003, 0.022), abs=0.0015)
    assert record["spans_zero"] is False
    pairs = Units(np.arange(len(first))[:, None], "pair")
    naive = intervals(Replicates(lead.values, lead.by_rows), pairs, of_differences=True)[name]
    assert (naive.low, naive.high) == pytest.approx((0.007, 0.017), abs=0.001)


@pytest.mark.parametrize(
    ("value", "low", "high", "verdict"),
    [
        (0.1, 0.05, 0.2, "above"),
        (-0.1, -0.2, -0.05, "below"),
        (0.1, -0.05, 0.2, "spans 0: no evidence of a difference"),
        (0.1, None, None, "no interval: no evidence of a difference"),
        (0.0, None, None, "equal to three digits: no evidence of a difference"),
        (-0.0004, -0.0005, -0.0003, "equal to three digits: no evidence of a difference"),
        (None, None, None, ""),
    ],
)
def test_one_verdict_on_a_difference(
    value: float | None, low: float | None, high: float | None, verdict: str
) -> None:
    assert difference_verdict({"value": value, "low": low, "high": high}) == verdict
