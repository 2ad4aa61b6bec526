from html.parser import HTMLParser
from typing import Any

import pandas as pd

from peftide.report import explanation
from peftide.report.explanation import explanation_page

SEQUENCE = "MKVLAWGHKL"
RECORD: dict[str, Any] = {
    "model": "run",
    "date": "2026-11-29T12:59:19+00:00",
    "options": {"out": "why"},
    "faithfulness": {"verdict": "The attribution is faithful: yes.", "is_faithful": True},
}


def tables(names: list[str]) -> dict[str, pd.DataFrame | None]:
    """Return the tables of proteins with one sequence; residue k contributes k."""
    residues = [
        {"id": name, "position": k + 1, "residue": letter, "attribution": float(k - 3)}
        for name in names
        for k, letter in enumerate(SEQUENCE)
    ]
    steps = [(0, 2.0, 2.0), (1, 1.0, 1.9), (5, 0.0, 1.5)]
    deletion = [
        {"id": name, "hidden": hidden, "attributed": attributed, "random": random}
        | {"random_low": random - 0.1, "random_high": random + 0.1}
        for name in names
        for hidden, attributed, random in steps
    ]
    changes = [
        {"id": name, "mutant": mutant, "position": 2, "new": mutant[-1], "change": -1.0}
        for name in names
        for mutant in ("K2A", "K2R")
    ]
    proteins = [
        {"id": name, "target": "predicted value", "score": 2.0, "area": 1.5, "random_area": 0.2}
        | {"lead": 1.3, "ahead": "yes"}
        for name in names
    ]
    return {
        "proteins": pd.DataFrame(proteins),
        "residues": pd.DataFrame(residues),
        "substitutions": pd.DataFrame(changes),
        "deletion": pd.DataFrame(deletion),
    }


class Reader(HTMLParser):
    """Collects text and the words that are read aloud."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.labels: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.labels += [value for name, value in attrs if tag == "svg" and name == "aria-label"]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_shows_verdict_picture_and_the_strongest_residues() -> None:
    page = Reader(explanation_page(tables(["<p1>"]), RECORD, title=None))
    text = "\n".join(page.text)
    assert "The attribution is faithful: yes." in text
    assert "<p1>" in text  # escaped in the page
    assert "K2A: -1" in text
    assert len(page.labels) == 2
    place = page.text.index("L10")  # the strongest residue is first in its table
    assert page.text[place : place + 3] == ["L10", "+6.000", "–"]
    assert page.text[page.text.index("K2") : page.text.index("K2") + 3] == [
        "K2",
        "−2.000",
        "−1.000",
    ]
    assert "Proteins" not in page.text


def test_an_unfaithful_attribution_is_said_to_be_one() -> None:
    record = RECORD | {"faithfulness": {"verdict": "They fail.", "is_faithful": False}}
    text = explanation_page(tables(["p1"]) | {"substitutions": None}, record, title="Why <b>?")
    assert "Do not read the bars below as reasons of the model." in text
    assert "Why &lt;b&gt;?" in text
    assert "K2A" not in text


def test_many_proteins_are_listed_and_the_first_drawn() -> None:
    names = [f"p{k}" for k in range(12)]
    page = Reader(explanation_page(tables(names), RECORD, title=None))
    assert len(page.labels) == 2 * explanation.MOST_PROTEINS
    assert "The first 10 of 12 proteins are drawn" in " ".join(page.text)
    assert "p11" in page.text


def test_pairs_are_named_by_both_proteins() -> None:
    row = {"id_a": "P1", "id_b": "P2", "partner": "a"}
    assert explanation.named(row) == "P1 (a) with P2 (b)"


def test_without_substitutions_nothing_speaks_of_squares() -> None:
    found = tables(["p1"])
    page = explanation_page(found | {"substitutions": None}, RECORD, title=None)
    assert "quare" not in page
    assert "substitution" not in page.split("<main")[1].split("Deletion test")[0]
    assert "Squares: " in explanation_page(found, RECORD, title=None)


def test_log_odds_are_named_as_not_calibrated() -> None:
    found = tables(["p1"])
    assert found["proteins"] is not None
    assert "before calibration" not in explanation_page(found, RECORD, title=None)
    found["proteins"]["target"] = "log odds of yes"
    page = explanation_page(found, RECORD, title=None)
    assert "Score (log odds of yes, before calibration): 2.000." in page
