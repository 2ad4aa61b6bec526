from typing import Any

import pytest

from peftide.cli.printing import aligned, metrics_lines, print_metrics, verdict_lines, with_interval


def entry(value: float | None, n: int = 1200, **more: Any) -> dict[str, Any]:
    return {"value": value, "low": None, "high": None, "n": n} | more


def test_columns_are_aligned() -> None:
    assert list(aligned([["", "a"], ["long", "bbb"]])) == ["        a", "long  bbb"]


def test_a_score_stands_with_its_interval() -> None:
    assert with_interval(entry(0.6181, low=0.602, high=0.6341)) == "0.618 [0.602, 0.634]"
    assert with_interval(entry(0.0031, low=-0.01, high=0.02), sign="+") == "+0.003 [-0.010, +0.020]"
    assert with_interval(entry(0.5)) == "0.500"
    assert with_interval(entry(None)) == "–"
    assert with_interval(entry(50, low=49.0, high=51.0)) == "50"  # a count


def metrics_of_two_parts() -> dict[str, Any]:
    parts = {
        "auroc": entry(0.91249, low=0.9, high=0.925),
        "mcc": entry(None),
        "per_class": {"a": {}},
    }
    return {
        "headline": "auroc",
        "splits": {"validation": parts, "test": parts},
        "baselines": {"composition": {"validation": parts, "test": {"auroc": entry(0.9)}}},
        "peers": {"TUnA": {"test": {"auroc": entry(0.8)}}},
        "differences": {
            "composition": {
                "test": {"auroc": entry(0.0125, low=-0.01, high=0.04, spans_zero=True)}
            },
            "TUnA": {"test": {"auroc": entry(0.1125, low=0.1, high=0.13, spans_zero=False)}},
        },
        "intervals": {"test": {"level": 0.95, "unit": "protein", "units": 300, "reason": None}},
        "notes": ["validation: no intervals: only 3 proteins: intervals need 10"],
    }


def test_parts_stand_beside_each_other_and_undefined_scores_are_a_dash() -> None:
    lines = list(metrics_lines(metrics_of_two_parts()))
    assert lines[0].split() == ["validation", "test"]
    assert lines[1].split() == ["AUROC", *["0.912", "[0.900,", "0.925]"] * 2]
    assert lines[2].split() == ["MCC", "–", "–"]
    assert lines[3] == "examples scored: validation 1,200, test 1,200"
    assert lines[4] == "[low, high]: 95% interval, which resamples 300 proteins of test"


def test_a_lead_whose_interval_spans_zero_is_said_to() -> None:
    lines = list(metrics_lines(metrics_of_two_parts()))
    assert "AUROC compared with others, test" in lines
    assert "AUROC compared with others, validation" not in lines
    (composition,) = [line for line in lines if line.startswith("composition")]
    assert composition.split("  ")[0:1] == ["composition"]
    assert composition.endswith("+0.013 [-0.010, +0.040]  spans 0")
    assert "spans 0: no evidence of a difference" in lines
    (peer,) = [line for line in lines if line.startswith("TUnA")]
    assert peer.endswith("+0.113 [+0.100, +0.130]")
    assert list(verdict_lines(metrics_of_two_parts(), "test")) == [
        (
            "doubtful",
            "test: no evidence of a difference from the best baseline, composition: "
            "+0.013 [-0.010, +0.040] (spans 0)",
        ),
        ("good", "test: above TUnA by 0.113 [0.100, 0.130]"),
    ]
    assert lines[-1] == "note: validation: no intervals: only 3 proteins: intervals need 10"


@pytest.mark.parametrize(
    ("lead", "said"),
    [
        (
            entry(0.0625, low=0.05, high=0.07, spans_zero=False),
            "above the best baseline, kmer, by 0.062 [0.050, 0.070]",
        ),
        (
            entry(-0.0625, low=-0.07, high=-0.05, spans_zero=False),
            "below the best baseline, kmer, by 0.062 [0.050, 0.070]",
        ),
        (
            entry(-0.0625, spans_zero=None),
            "no evidence of a difference from the best baseline, kmer: -0.062 (no interval)",
        ),
        (
            entry(-0.0003, low=-0.0004, high=-0.0002, spans_zero=False),
            "no evidence of a difference from the best baseline, kmer: "
            "+0.000 [+0.000, +0.000] (equal to three digits)",
        ),
    ],
)
def test_the_strongest_baseline_is_named(lead: dict[str, Any], said: str) -> None:
    metrics = metrics_of_two_parts()
    metrics["baselines"]["kmer"] = {"validation": {}, "test": {"auroc": entry(0.95)}}
    metrics["differences"]["kmer"] = {"test": {"auroc": lead}}
    assert f"test: {said}" in [text for _, text in verdict_lines(metrics, "test")]


def test_scores_without_baseline_are_printed() -> None:
    assert list(metrics_lines({"splits": {"test": {"r2": entry(0.5, 8)}}}))[1] == "R²  0.500"


def test_coverage_of_sets_is_printed_by_class() -> None:
    sets = {
        "error_rate": 0.1,
        "coverage": {"C1": {"value": 0.91, "n": 1200}, "C2": {"value": None, "n": 0}},
        "mean_size": 1.256,
        "empty": 0.0,
        "single": 0.75,
    }
    metrics = {"splits": {"test": {"mcc": entry(0.5)}}, "conformal": {"test": sets}}
    lines = list(metrics_lines(metrics))
    assert "prediction sets, test, error rate 0.1: mean size 1.26, one class 75.0%, empty 0.0%" in (
        lines
    )
    assert lines[-1].split() == ["class", "C1", "0.910", "1,200"]


def test_numbers_and_intervals_are_aligned_below_right_titles() -> None:
    rows = [["", "test"], ["auroc", "0.9 [0.8, 1.0]"], ["mcc", "–"], ["n", "1,200"]]
    assert list(aligned(rows)) == [
        "                   test",
        "auroc    0.9 [0.8, 1.0]",
        "mcc        –",
        "n      1,200",
    ]


def test_a_table_too_wide_for_the_terminal_becomes_one_table_per_column() -> None:
    rows = [["", "validation", "test"], ["auroc", "0.912 [0.900, 0.925]", "0.5"], ["mcc", "", "1"]]
    assert list(aligned(rows, width=30)) == [
        "                 validation",
        "auroc  0.912 [0.900, 0.925]",
        "       test",
        "auroc   0.5",
        "mcc       1",
    ]
    assert len(list(aligned(rows, width=80))) == 3


def test_the_verdict_stands_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    print_metrics(metrics_of_two_parts())
    assert capsys.readouterr().out.splitlines()[-1] == (
        "verdict: test: above TUnA by 0.113 [0.100, 0.130]"
    )
