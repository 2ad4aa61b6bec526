from typing import Any

import pytest

from peftide.report.verdict import beside_guessing, no_skill, others, pooling_advice, verdict
from tests.report.conftest import entry


def metrics_of(score: float | None, baseline: float | None = None, **difference: Any) -> dict:
    metrics: dict[str, Any] = {"splits": {"test": {"auroc": entry(score, 500)}}}
    if baseline is not None:
        metrics["baselines"] = {"composition": {"test": {"auroc": entry(baseline, 500)}}}
    if difference:
        metrics["differences"] = {"composition": {"test": {"auroc": entry(0.02) | difference}}}
    return metrics


def test_an_interval_that_spans_zero_is_no_evidence() -> None:
    (said,) = verdict(metrics_of(0.62, 0.6, low=-0.01, high=0.05), "test", "auroc")
    assert said.startswith(
        "The model scores 0.020 higher than the baseline composition (residue composition and "
        "length)."
    )
    assert said.endswith("spans 0: no evidence of a difference.")


@pytest.mark.parametrize(
    ("value", "low", "high", "word"), [(0.02, 0.01, 0.03, "better"), (-0.02, -0.03, -0.01, "worse")]
)
def test_an_interval_on_one_side_is_evidence(
    value: float, low: float, high: float, word: str
) -> None:
    metrics = metrics_of(0.6 + value, 0.6, value=value, low=low, high=high)
    (said,) = verdict(metrics, "test", "auroc")
    assert said.endswith(f"the model is {word}.")


def test_of_an_error_less_is_better() -> None:
    metrics: dict[str, Any] = {
        "splits": {"test": {"rmse": entry(0.5)}},
        "baselines": {"composition": {"test": {"rmse": entry(0.9)}}},
        "differences": {"composition": {"test": {"rmse": entry(-0.4, low=-0.5, high=-0.3)}}},
    }
    (said,) = verdict(metrics, "test", "rmse")
    assert said.startswith("The model scores 0.400 lower than")
    assert said.endswith("the model is better.")


def test_without_an_interval_a_difference_is_no_evidence() -> None:
    (said,) = verdict(metrics_of(0.58, 0.6), "test", "auroc")
    assert said.startswith(
        "The model scores 0.020 lower than the baseline composition (residue composition and "
        "length)."
    )
    assert said.endswith("no evidence of a difference.")


@pytest.mark.parametrize("ends", [{}, {"low": 0.0001, "high": 0.0004}])
def test_a_tie_is_neither_above_nor_below(ends: dict[str, float]) -> None:
    (said,) = verdict(metrics_of(0.6003, 0.6, value=0.0003, **ends), "test", "auroc")
    assert said.startswith(
        "The model and the baseline composition (residue composition and length) have the "
        "same score"
    )
    assert said.endswith("no evidence of a difference.")


def test_the_best_of_the_others_is_compared_with() -> None:
    metrics = metrics_of(0.62, 0.6)
    metrics["peers"] = {"TUnA": {"test": {"auroc": entry(0.7)}}}
    assert [one.name for one in others(metrics, "test", "auroc")] == ["TUnA", "composition"]
    baseline, peer = verdict(metrics, "test", "auroc")
    assert baseline.startswith(
        "The model scores 0.020 higher than the baseline composition (residue composition"
    )
    assert peer.startswith("The model scores 0.080 lower than TUnA")


def test_without_others_guessing_is_compared_with() -> None:
    assert "0.500, which is 0.120 below this" in verdict(metrics_of(0.62), "test", "auroc")[0]


@pytest.mark.parametrize(
    ("low", "high", "where"), [(0.4, 0.6, "within"), (0.51, 0.6, "below"), (0.3, 0.49, "above")]
)
def test_guessing_is_set_beside_the_interval(low: float, high: float, where: str) -> None:
    said = beside_guessing(entry(0.5, low=low, high=high), 0.5)
    assert f"which is {where} the interval" in said


def test_few_rows_no_test_and_no_value_are_said() -> None:
    few = {"splits": {"validation": {"auroc": entry(0.9, 1)}}}
    said = " ".join(verdict(few, "validation", "auroc"))
    assert "no test part" in said
    assert "only 1 row" in said
    assert verdict(metrics_of(None), "test", "auroc") == ["The AUROC of test is undefined."]


def test_guessing_scores_the_share_of_positives() -> None:
    binary = {"splits": {"test": {"average_precision": entry(0.6), "prevalence": entry(0.3)}}}
    assert no_skill(binary, "test", "average_precision") == 0.3
    classes = {"A": 20, "B": 60, "never": 0}
    macro = {
        "macro_average_precision": entry(0.6, 80),
        "per_class": {name: {"average_precision": entry(0.5, n)} for name, n in classes.items()},
    }
    shares = (20 / 80 + 60 / 80) / 2  # of the classes that occur
    assert no_skill({"splits": {"test": macro}}, "test", "macro_average_precision") == shares
    assert no_skill(binary, "test", "accuracy") is None


@pytest.mark.parametrize(
    ("pooling", "ends", "composition", "low", "said"),
    [
        ("mean", 0.8, 0.6, -0.3, True),
        ("ends", 0.8, 0.6, -0.3, False),  # it is used already
        ("mean", 0.8, 0.85, -0.3, False),  # the whole sequence says more than its ends
        ("mean", 0.8, 0.6, -0.21, False),  # the interval spans 0
        (None, 0.8, 0.6, -0.3, False),  # the run has no record of its options
    ],
)
def test_ends_that_beat_the_model_are_a_reason_to_pool_them(
    pooling: str | None, ends: float, composition: float, low: float, said: bool
) -> None:
    high = -0.1 if low < -0.25 else 0.01
    gap = {"value": 0.6 - ends, "low": low, "high": high, "spans_zero": high > 0}
    metrics = {
        "splits": {"test": {"auroc": {"value": 0.6, "n": 100}}},
        "baselines": {
            "ends": {"test": {"auroc": {"value": ends}}},
            "composition": {"test": {"auroc": {"value": composition}}},
        },
        "differences": {"ends": {"test": {"auroc": gap}}},
    }
    advice = pooling_advice(metrics, "test", "auroc", pooling=pooling)
    assert bool(advice) == said
    assert all("`--pooling ends`" in text for text in advice)
