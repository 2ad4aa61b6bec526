"""The functions behind the buttons; `test_server.py` presses them in a browser."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from peftide.serving.neighbours import Neighbours
from peftide.serving.page import Page, read_run_scores
from tests.conftest import random_sequences
from tests.serving.conftest import Serviced

TEXTS = random_sequences(20, lengths=(8, 12))
FASTA = "".join(f">p{k}\n{text}\n" for k, text in enumerate(TEXTS))


def page_of(serviced: Serviced, task: str, folder: Path) -> Page:
    return Page(serviced(task), Neighbours(None), files=folder)


def test_an_answer_or_one_message(serviced: Serviced, tmp_path: Path) -> None:
    page = page_of(serviced, "ppi", tmp_path)
    found = page.answer_one(0.1, TEXTS[0], TEXTS[1])
    probability = page.service.predictor.predict([(TEXTS[0], TEXTS[1])])["probability"][0]
    assert f"{probability:.3f}" in found
    assert "alert" not in found
    assert "sequence 2 is empty" in page.answer_one(0.1, TEXTS[0], "")
    assert page.nearest_one(TEXTS[0], "") == ""
    assert "keeps no training sequences" in page.nearest_one(TEXTS[0], TEXTS[1])


def test_a_batch_reports_progress_and_ends_with_a_file(serviced: Serviced, tmp_path: Path) -> None:
    page = page_of(serviced, "regression", tmp_path)
    steps = list(page.answer_many(0.1, FASTA, "", None, None))
    assert ["16 of 20" in steps[0][0], "20 of 20" in steps[-1][0]] == [True, True]
    assert all(path is None for _, path, _ in steps[:-1])
    written = pd.read_csv(str(steps[-1][1]), sep="\t")
    assert written["id"].tolist() == [f"p{k}" for k in range(20)]
    assert "The first 20 of 20 rows" in steps[-1][2]
    (wrong,) = page.answer_many(0.1, "", "", None, None)
    assert "there is nothing to read" in wrong[0]


def test_a_batch_beyond_its_time_gives_the_rows_it_has(serviced: Serviced, tmp_path: Path) -> None:
    page = Page(serviced("regression", most_seconds=1e-6), Neighbours(None), files=tmp_path)
    *_, last = page.answer_many(0.1, FASTA, "", None, None)
    assert "4 rows are left" in last[0]
    assert len(pd.read_csv(str(last[1]), sep="\t")) == 16


def test_an_explanation_or_one_message(serviced: Serviced, tmp_path: Path) -> None:
    page = page_of(serviced, "ppi", tmp_path)
    *_, last = page.explain_one("Second protein", TEXTS[0], TEXTS[1])
    assert f"{TEXTS[1][0]}1A" in last or f"{TEXTS[1][0]}1C" in last
    assert "the deletion test" in last
    (wrong,) = page.explain_one("First protein", "MK1", TEXTS[1])
    assert "has &#x27;1&#x27;" in wrong or "has '1'" in wrong


def test_the_page_names_its_limits(serviced: Serviced, tmp_path: Path) -> None:
    text = page_of(serviced, "ppi", tmp_path).about()
    assert "1,000 rows, 2,000 residues" in text
    assert "first 1,022 residues" in text


def test_what_was_read_and_an_odd_rate_are_said(serviced: Serviced, tmp_path: Path) -> None:
    page = page_of(serviced, "regression", tmp_path)
    *_, last = page.answer_many(0.1, FASTA.lower(), "", None, None)
    assert "20 lower case sequences: read as upper case" in last[0]
    (wrong,) = page.answer_many(0.0, FASTA, "", None, None)
    assert "the error rate is 0" in wrong[0]


def test_an_answer_names_its_protein_and_threshold(serviced: Serviced, tmp_path: Path) -> None:
    found = page_of(serviced, "ppi", tmp_path).answer_one(0.1, "MKTAYIAKQRQISF", TEXTS[0])
    assert "MKTAYIAKQRQI… (14 residues)" in found
    assert "yes (1) from a probability of" in found
    value = page_of(serviced, "regression", tmp_path).answer_one(0.1, TEXTS[0])
    assert "from a probability" not in value


def test_the_heading_is_the_title_and_names_the_column(serviced: Serviced, tmp_path: Path) -> None:
    page = page_of(serviced, "ppi", tmp_path)
    assert page.heading() == ("Do two proteins interact?", None)
    (tmp_path / "config.yaml").write_text("label_column: Binds metal\ntitle: Metal\n")
    named = replace(page.service, config=replace(page.service.config, run=tmp_path))
    page = Page(named, Neighbours(None), files=tmp_path)
    assert page.heading() == ("Metal", "<p>Label: Binds metal</p>")


def test_about_gives_the_score_if_the_run_has_one(serviced: Serviced, tmp_path: Path) -> None:
    page = page_of(serviced, "ppi", tmp_path)
    run = page.service.config.run
    assert "average precision on test" in page.about()
    assert read_run_scores(run / "model") == {}  # a model that was pulled
