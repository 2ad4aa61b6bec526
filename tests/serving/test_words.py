import numpy as np
import pandas as pd

from peftide.sequences import Finding
from peftide.serving import words


def test_yes_or_no_has_probability_prediction_and_set() -> None:
    rows = pd.DataFrame({"score": [0.5], "probability": [0.62], "prediction": [1], "set": ["0,1"]})
    text = words.answer(rows, level="pair", error_rate=0.2)
    assert "0.620" in text
    assert "<td>yes</td>" in text
    assert "no or yes" in text
    assert "error rate 0.2" in text
    assert "--error-rate" not in text


def test_classes_are_listed_the_most_probable_first() -> None:
    values = {f"p_c{k}": [k / 100] for k in range(12)}
    rows = pd.DataFrame({"id": ["x"], "prediction": ["<c11>"], "set": [""]} | values)
    text = words.answer(rows, level="sequence", error_rate=0.1)
    assert "&lt;c11&gt;" in text
    assert "empty: this input is unlike all classes" in text
    assert text.index(">c11<") < text.index(">c10<")
    assert ">c3<" not in text  # the last of the most probable ones is c4


def test_a_wide_set_says_why_and_can_wrap() -> None:
    rows = pd.DataFrame({"id": ["x"], "prediction": ["a"], "set": ["a,b"], "p_a": [0.9]})
    text = words.answer(rows, level="sequence", error_rate=0.1, kept={"b": 3})
    assert "a, b" in text
    assert "cannot be ruled out" in text
    assert "too few validation rows: b (3)" in text
    alone = words.answer(rows.assign(set="a"), level="sequence", error_rate=0.1)
    assert "ruled out" not in alone
    assert "too few" not in alone


def test_a_value_has_four_digits() -> None:
    rows = pd.DataFrame({"prediction": [3.14159]})
    assert "3.142" in words.answer(rows, level="sequence", error_rate=0.1)


def test_residues_stand_above_their_classes() -> None:
    rows = pd.DataFrame({"residue": list("MK" * 40), "prediction": list("HE" * 40)})
    lines = words.answer(rows, level="residue", error_rate=0.1).splitlines()
    assert lines[0].endswith("    1 " + "MK" * 30)
    assert lines[1].strip() == "HE" * 30
    assert lines[3] == "   61 " + "MK" * 10
    values = pd.DataFrame({"residue": ["M", "K"], "prediction": np.array([0.5, 1.25])})
    assert "K2" in words.answer(values, level="residue", error_rate=0.1)


def test_a_message_is_read_aloud_and_escaped() -> None:
    assert words.problem("a <b>").startswith('<div class="problem" role="alert">a &lt;b&gt;')


def test_without_similar_proteins_it_says_so() -> None:
    none = pd.DataFrame(columns=["query", "identity", "coverage", "residues", "start"])
    assert "No training protein is similar" in words.nearest(none)
    assert "keeps no training sequences" in words.nearest(None)
    one = {"query": 1, "identity": 0.87, "coverage": 1.0, "residues": 120, "start": "MKV"}
    text = words.nearest(pd.DataFrame([one]))
    assert "87%" in text
    assert "MKV" in text
    assert '<th scope="row">1</th>' in text
    named = words.nearest(pd.DataFrame([one | {"id": "<P1>"}]))
    assert '<th scope="col">id</th>' in named
    assert "&lt;P1&gt;" in named
    labelled = words.nearest(pd.DataFrame([one | {"label": "nucleus"}] * 2))
    assert '<th scope="row">2</th><td>nucleus</td>' in labelled
    pair = words.nearest(pd.DataFrame([one, one | {"query": 2}]))
    assert "sequence 2, 1" in pair


def test_notes_count_what_was_read() -> None:
    found = (
        Finding("input", "lower_case_sequences", 2, "read as upper case"),
        Finding("input", "nucleotide_like_sequences", 1, "kept: is this DNA?"),
    )
    lower, dna = words.notes(found)
    assert "2 lower case sequences: read as upper case.<" in lower
    assert "1 nucleotide-like sequence: kept: is this DNA?<" in dna


def test_the_score_of_the_model_is_on_the_test_part() -> None:
    entry = {"value": 0.6, "low": 0.4, "high": 0.75, "n": 90}
    metrics = {
        "headline": "spearman",
        "splits": {"validation": {"spearman": entry | {"value": 0.9}}, "test": {"spearman": entry}},
    }
    score, *verdict = words.standing(metrics)
    assert "test: 0.600 [0.400, 0.750]" in score
    assert verdict
    assert words.standing({}) == []
