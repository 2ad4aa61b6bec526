from pathlib import Path
from typing import Any

from peftide.report.read import Run, read_run
from peftide.report.scoreboard import all_scores, class_scores, headline, shared_axis, standings
from peftide.report.verdict import Standing
from tests.report.conftest import Outline, entry, write_run


def run_of(folder: Path, **metrics: Any) -> Run:
    splits = {"test": {"auroc": entry(0.62, 500, low=0.58, high=0.66)}}
    return read_run(write_run(folder, {"headline": "auroc", "splits": splits} | metrics))


def text(part: Any) -> str:
    assert part is not None
    return Outline(part).text()


def test_the_headline_has_score_interval_and_rows(tmp_path: Path) -> None:
    shown = text(headline(run_of(tmp_path)))
    assert shown.startswith("0.620AUROC on test95 % interval [0.580, 0.660] · 500 rows")


def test_a_missing_score_is_a_dash(tmp_path: Path) -> None:
    shown = text(headline(run_of(tmp_path, splits={"test": {"auroc": entry(None, 1)}})))
    assert shown.startswith("undefinedAUROC on testno interval · 1 rowThe")
    assert "undefined" in shown


def test_baselines_peers_and_guessing_stand_beside_the_model(tmp_path: Path) -> None:
    run = run_of(
        tmp_path,
        baselines={"composition": {"test": {"auroc": entry(0.6)}}},
        peers={"TUnA": {"test": {"auroc": entry(0.7)}}},
        differences={"TUnA": {"test": {"auroc": entry(-0.08, low=-0.1, high=-0.06)}}},
        intervals={"test": {"unit": "protein", "units": 1582, "replicates": 1000}},
    )
    shown = standings(run)
    assert shown is not None
    outline = Outline(shown)
    heads = outline.text("th", "span")
    order = ["this model", "TUnA", "composition", "residue composition and length", "guessing"]
    assert sorted(order, key=heads.index) == order
    assert "model minus this: −0.080 [−0.100, −0.060]" in heads
    assert "1,582 proteins resampled 1,000 times" in outline.text("p")


def test_several_parts_are_headed_by_their_names(tmp_path: Path) -> None:
    splits = {name: {"auroc": entry(0.6)} for name in ("validation", "yeast", "human")}
    shown = standings(run_of(tmp_path, splits=splits))
    assert shown is not None
    groups = [head for head in Outline(shown).all("th") if head["scope"] == "rowgroup"]
    assert len(groups) == 2  # validation is no test


def test_one_scale_holds_all_dots_and_intervals() -> None:
    rows = [Standing("a", entry(0.5, low=0.4, high=0.6), {}), Standing("b", entry(None), {})]
    axis = shared_axis(rows)
    assert (axis.low, axis.high) == (0.4, 0.6)


def test_every_score_of_every_part_is_listed_with_notes(tmp_path: Path) -> None:
    run = run_of(tmp_path, threshold=0.25, notes=["test: too few <proteins>"])
    shown = text(all_scores(run))
    assert "if the probability is at least 0.250." in shown
    assert "AUROC0.620 [0.580, 0.660]" in shown
    assert "test: too few <proteins>" in shown


def test_classes_without_rows_are_counted_and_left_out(tmp_path: Path) -> None:
    classes = {
        "C2": {"average_precision": entry(0.5, 7)},
        "D9": {"average_precision": entry(None, 0)},
    }
    run = run_of(tmp_path, splits={"test": {"auroc": entry(0.5), "per_class": classes}})
    shown = text(class_scores(run, "test"))
    assert shown.startswith("Scores of each class on test without 1 class that no row has")
    assert shown.endswith("C270.500––––")
    assert class_scores(run_of(tmp_path / "other"), "test") is None


def test_calibration_is_said_only_where_there_is_one(tmp_path: Path) -> None:
    metrics = {"headline": "auroc", "splits": {"test": {"auroc": entry(0.6)}}}
    for method, said in (("temperature", True), ("none", False), (None, False)):
        folder = tmp_path / str(method)
        run = read_run(write_run(folder, metrics | {"calibration": {"method": method}}))
        assert ("calibrated" in text(all_scores(run))) is said
