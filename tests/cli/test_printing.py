from peftide.cli.printing import aligned, metrics_lines


def entry(value: float | None, n: int = 1200) -> dict[str, float | int | None]:
    return {"value": value, "low": None, "high": None, "n": n}


def test_columns_are_aligned() -> None:
    assert list(aligned([["", "a"], ["long", "bbb"]])) == ["        a", "long  bbb"]


def test_scores_stand_beside_the_baseline_and_undefined_ones_are_a_dash() -> None:
    parts = {"auroc": entry(0.91249), "mcc": entry(None), "per_class": {"a": {}}}
    metrics = {
        "splits": {"validation": parts, "test": parts},
        "baselines": {"composition": {"validation": parts, "test": parts}},
    }
    lines = list(metrics_lines(metrics))
    assert lines[0].split("  ")[-1].strip() == "composition (test)"
    assert lines[1].split() == ["auroc", "0.912", "0.912", "0.912", "0.912"]
    assert lines[2].split() == ["mcc", "–", "–", "–", "–"]
    assert lines[3] == "examples scored: validation 1,200, test 1,200"
    assert len(lines) == 4


def test_scores_without_baseline_are_printed() -> None:
    assert list(metrics_lines({"splits": {"test": {"r2": entry(0.5, 8)}}}))[1] == "r2  0.500"
