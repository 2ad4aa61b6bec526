import json
from pathlib import Path
from typing import Any

import pytest

from peftide.report.masthead import banner, leaks, masthead, means, scored_files, title_of
from peftide.report.read import Run, read_run
from tests.report.conftest import NASTY, Outline, entry, write_run

SPLITS = {"validation": {"auroc": entry(0.7, 9)}, "test": {"auroc": entry(0.6, 1500)}}


def run_of(folder: Path, *, audit: dict[str, Any] | None = None, **record: Any) -> Run:
    write_run(folder, {"headline": "auroc", "splits": SPLITS}, **record)
    if audit is not None:
        (folder / "audit.json").write_text(json.dumps({"verdicts": []} | audit))
    return read_run(folder)


def verdict(part: str, severity: str = "leak") -> dict[str, str]:
    return {"severity": severity, "part": part, "text": f"9 of 10 proteins (90.0%) {NASTY[:-1]}"}


def test_a_leak_in_a_scored_part_is_said_with_its_share(tmp_path: Path) -> None:
    run = run_of(tmp_path, audit={"verdicts": [verdict("test"), verdict("test", "warning")]})
    shown = banner(run)
    assert shown is not None
    outline = Outline(shown)
    assert outline.text("strong") == "Data leak: the score is too good on test."
    assert outline.text("li").startswith("test: 9 of 10 proteins (90.0%)")
    assert outline.all("a") == [{"href": "#audit"}]
    assert outline.all("div")[0]["role"] == "note"


def test_without_a_leak_in_a_scored_part_there_is_no_banner(tmp_path: Path) -> None:
    assert banner(run_of(tmp_path / "none")) is None
    only = {"verdicts": [verdict("validation"), verdict("test", "warning")]}
    assert leaks(run_of(tmp_path / "validation", audit=only)) == []


def test_the_top_says_what_was_scored(tmp_path: Path) -> None:
    trained = run_of(tmp_path / "a", audit={"parts": {"test": {"file": "d/pairs.tsv"}}})
    assert scored_files(trained) == ["test, 1,500 rows of d/pairs.tsv"]
    scored = run_of(tmp_path / "b", command="evaluate", model="runs/a", input="new.tsv")
    shown = Outline(masthead(scored)).text("dt", "dd")
    assert "trained runruns/a" in shown
    assert "scored ontest, 1,500 rows of new.tsv" in shown


@pytest.mark.parametrize("given", [None, "", "  \n"])
def test_without_a_title_the_question_is_the_heading(tmp_path: Path, given: str | None) -> None:
    run = run_of(tmp_path, task="ppi", options={"title": given})
    assert title_of(run) == ""
    assert Outline(masthead(run)).text("h1") == "Do two proteins interact?"


def test_a_title_is_one_line_and_a_new_one_replaces_it(tmp_path: Path) -> None:
    run = run_of(tmp_path, task="ppi", options={"title": f"Yeast\n{NASTY[:-1]}"})
    outline = Outline(masthead(run))
    assert outline.text("h1") == f"Yeast {NASTY[:-1]}"
    assert "Do two proteins interact?" in outline.text("p")
    assert Outline(masthead(run, title="Other")).text("h1") == "Other"


def test_an_option_without_value_hides_no_fact(tmp_path: Path) -> None:
    """An evaluation has the option --backbone for one that has moved."""
    record: dict[str, Any] = {
        **{"backbone": "mini", "method": "head"},
        "options": {"backbone": None},
    }
    assert means(run_of(tmp_path, **record)) == ["frozen backbone, trained head", "mini"]
    assert means(run_of(tmp_path, **record, steps=0)) == [
        "frozen backbone, ridge regression",
        "mini",
    ]
