import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peftide.report import write_report
from peftide.report.page import style
from tests.report.conftest import (
    NASTY,
    Outline,
    binary_run,
    entry,
    write_run,
    write_tsv,
)


def outline_of(folder: Path) -> Outline:
    return Outline(write_report(folder).read_text(encoding="utf-8"))


def test_a_page_has_one_title_and_headings_in_order(run_folder: Path) -> None:
    outline = outline_of(run_folder)
    levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels[:-1], levels[1:], strict=True))
    assert outline.text("title") == "Do two proteins interact? · LoRA · mini · run"
    assert outline.all("html") == [{"lang": "en"}]


def test_a_page_needs_no_network_and_runs_nothing(run_folder: Path) -> None:
    page = write_report(run_folder).read_text(encoding="utf-8")
    outline = Outline(page)
    assert not re.search(r"https?://|@import|url\(", page)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in outline.tags}
    assert not [name for _, attributes in outline.tags for name in attributes if name[:2] == "on"]


def test_what_is_not_text_has_a_name_to_be_read_aloud(run_folder: Path) -> None:
    outline = outline_of(run_folder)
    drawings = outline.all("svg")
    assert len(drawings) > 8
    assert all(one.get("aria-label") or one.get("aria-hidden") == "true" for one in drawings)
    assert all(head.get("scope") for head in outline.all("th"))


def test_every_section_can_be_reached_from_the_contents(run_folder: Path) -> None:
    outline = outline_of(run_folder)
    ids = [str(attributes["id"]) for _, attributes in outline.tags if attributes.get("id")]
    assert len(set(ids)) == len(ids)
    inside = [str(link["href"])[1:] for link in outline.all("a") if link["href"][0] == "#"]  # type: ignore[index]
    assert set(inside) <= set(ids)
    assert {one["id"] for one in outline.all("section")} <= set(inside)


def test_a_page_has_landmarks_and_a_link_past_the_top(run_folder: Path) -> None:
    outline = outline_of(run_folder)
    for name in ("header", "main", "nav", "footer"):
        assert len(outline.all(name)) == 1, name
    assert outline.all("nav")[0]["aria-label"] == "Contents"
    (main,), skip = outline.all("main"), outline.all("a")[0]
    assert (skip["class"], skip["href"]) == ("skip", f"#{main['id']}")
    assert main["tabindex"] == "-1"


def test_each_table_has_a_name_before_it(run_folder: Path) -> None:
    """A caption inside, or that of the figure around it."""
    tags = [tag for tag, _ in outline_of(run_folder).tags]
    for at in (k for k, tag in enumerate(tags) if tag == "table"):
        assert tags[at + 1] == "caption" or "figcaption" in tags[max(0, at - 4) : at], at


def test_sections_of_like_parts_have_ids_of_their_own(tmp_path: Path) -> None:
    folder = binary_run(tmp_path)
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["splits"] = dict.fromkeys(("a b", "a-b", "<a b>"), metrics["splits"]["test"])
    (folder / "metrics.json").write_text(json.dumps(metrics))
    for name in ("predictions.tsv", "strata.tsv"):
        (folder / name).unlink()
    write_tsv(
        folder / "predictions.tsv",
        "id probability split counted",
        [(k, 0.5, name, 1) for k, name in enumerate(metrics["splits"])],
    )
    write_tsv(folder / "strata.tsv", "truth", [[1]] * 3)
    ids = [one["id"] for one in outline_of(folder).all("section")]
    assert [one for one in ids if str(one).startswith("a-closer")] == [
        "a-closer-look-at-a-b",
        "a-closer-look-at-a-b-2",
        "a-closer-look-at-a-b-3",
    ]


def test_the_head_says_when_the_run_was_made(tmp_path: Path) -> None:
    splits = {"test": {"auroc": entry(0.5)}}
    written = "2026-11-29T00:15:36+00:00"
    folder = write_run(tmp_path / "dated", {"headline": "auroc", "splits": splits}, date=written)
    assert "2026-11-29 00:15 UTC" in outline_of(folder).text("dd")


def test_everything_has_its_section(run_folder: Path) -> None:
    sections = [
        *("Beside the baselines", "A closer look at test", "Every score", "Training"),
        *("What next", "Settings", "Files"),
    ]
    assert outline_of(run_folder).text("h2") == "".join(sections)


def test_no_line_breaks_before_a_percent_sign(run_folder: Path) -> None:
    text = outline_of(run_folder).text("p")
    assert "95\u00a0% interval" in text
    assert " %" not in text


def test_nothing_that_a_user_wrote_becomes_a_tag(tmp_path: Path) -> None:
    folder = tmp_path / "<script>alert(1)<"
    per_class = {name: {"average_precision": entry(0.5, 2)} for name in (NASTY, "b")}
    splits = {NASTY: {"macro_average_precision": entry(0.5, 2), "per_class": per_class}}
    finding = {"part": NASTY, "kind": NASTY, "count": 1, "decision": NASTY, "examples": [NASTY]}
    metrics: dict[str, Any] = {
        "outcome": "categorical",
        "headline": "macro_average_precision",
        "splits": splits,
        "baselines": {NASTY: splits},
        "notes": [NASTY],
    }
    write_run(
        folder,
        metrics,
        findings=[finding],
        examples={NASTY: {"rows": 1, "counted": 1}},
        versions={NASTY: NASTY},
        data={NASTY: NASTY},
        hardware={"device_name": NASTY, "platform": NASTY},
    )
    text = NASTY[:-1]  # YAML holds no NUL
    (folder / "config.yaml").write_text(json.dumps({"task": text, "backbone": text}))
    clean = NASTY[:-1].replace('"', "")
    header = f"id label prediction split p_{clean.replace(' ', '')} p_b counted"
    rows = [(clean, clean, clean, clean, 0.2, 0.8, 1), (clean, "b", "b", clean, 0.9, 0.1, 1)]
    write_tsv(folder / "predictions.tsv", header, rows)
    write_tsv(folder / "strata.tsv", "truth seen", [(clean, clean), ("b", "b")])
    outline = outline_of(folder)
    assert not {"script", "b<"} & {tag for tag, _ in outline.tags}
    assert outline.text().count("<script>alert") > 10


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_parts_of_few_rows_are_shown(tmp_path: Path, rows: int) -> None:
    outline = outline_of(binary_run(tmp_path, rows))
    assert "too few to conclude anything" in outline.text("p")


def test_no_test_part_and_no_number_at_all(tmp_path: Path) -> None:
    nothing = {name: entry(None, 0) for name in ("auroc", "average_precision")}
    metrics = {"headline": "auroc", "threshold": None, "splits": {"validation": nothing}}
    outline = outline_of(write_run(tmp_path, metrics))
    assert "undefined" in outline.text("p")
    assert "A closer look" not in outline.text("h2")


@pytest.mark.parametrize("missing", ["config.yaml", "history.csv", "strata.tsv", "run.json"])
def test_a_missing_file_leaves_only_its_section_empty(run_folder: Path, missing: str) -> None:
    (run_folder / missing).unlink()
    assert outline_of(run_folder).text("h1")


def test_values_are_shown_too(tmp_path: Path) -> None:
    metrics = {
        "outcome": "continuous",
        "headline": "spearman",
        "threshold": None,
        "splits": {"test": {"spearman": entry(0.5)}},
    }
    write_run(tmp_path, metrics)
    rows = [(f"v{k}", k / 7, k / 8, "test", 1) for k in range(50)]
    write_tsv(tmp_path / "predictions.tsv", "id label prediction split counted", rows)
    write_tsv(tmp_path / "strata.tsv", "truth length", [(k / 7, 9) for k in range(50)])
    assert "Predicted and measured" in outline_of(tmp_path).text("b")


def test_a_thousand_classes_make_a_page_that_can_be_read(tmp_path: Path) -> None:
    names = [f"class_{k}_{'long' * (k % 20)}" for k in range(1000)]
    per_class = {name: {"average_precision": entry(0.5, 2)} for name in names}
    splits = {"test": {"macro_average_precision": entry(0.5, 1000), "per_class": per_class}}
    metrics = {"outcome": "categorical", "headline": "macro_average_precision", "splits": splits}
    write_run(tmp_path, metrics)
    header = f"id label prediction split counted {' '.join(f'p_{name}' for name in names)}"
    chances = [f"{value:.3f}" for value in np.linspace(0, 0.002, 1000)]
    rows = [(k, names[k], names[-1], "test", 1, *chances) for k in range(20)]
    write_tsv(tmp_path / "predictions.tsv", header, rows)
    write_tsv(tmp_path / "strata.tsv", "truth", [[name] for name in names[:20]])
    page = write_report(tmp_path).read_text(encoding="utf-8")
    outline = Outline(page)
    assert len(page) < 600_000
    assert "Scores of the other 976 classes on test" in outline.text("summary")
    assert max(map(len, (words for tag, words in outline.words if tag == "th"))) <= 60


def test_the_report_of_a_large_part_is_small(tmp_path: Path) -> None:
    folder = binary_run(tmp_path, 52_048)
    path = write_report(folder)
    assert path.stat().st_size < 1_500_000


def test_writing_again_gives_the_same_page(run_folder: Path) -> None:
    first = write_report(run_folder).read_text()
    assert write_report(run_folder).read_text() == first


def relative_luminance(colour: str) -> float:
    """By WCAG 2.1, https://www.w3.org/TR/WCAG21/#dfn-relative-luminance."""
    parts = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_text_and_marks_stand_out_in_both_schemes() -> None:
    schemes = re.findall(r":root \{(.*?)\}", style(), re.DOTALL)
    assert len(schemes) == 3  # light, dark, print
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", scheme))
        paper = relative_luminance(colours["paper"])
        for name in ("ink", "quiet", "model", "other"):
            light, dark = sorted([paper, relative_luminance(colours[name])], reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, scheme)
