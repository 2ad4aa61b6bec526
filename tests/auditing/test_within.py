"""Verdicts on one part, each found where it is and not where it is not."""

import numpy as np
import pytest

from peftide.auditing import within
from tests.auditing.conftest import Make, one

CLEAN = [("MA", "MC", 1, "train"), ("MA", "MD", 0, "train"), ("MC", "MD", 1, "train")]


def test_repeats(make: Make):
    assert within.repeats(make(CLEAN), "train").severity == "ok"
    again = [*CLEAN, ("MC", "MA", 1, "train"), ("MA", "MC", 1, "train")]
    found = within.repeats(make(again), "train")
    assert found.severity == "note"
    assert found.numbers == {"count": 2, "swapped": 1}
    assert "2 of 5 pairs (40.0%)" in found.text
    assert "table.tsv:5 repeats line 2" in found.examples[0]


def test_contradictions(make: Make):
    assert within.contradictions(make(CLEAN), "train").severity == "ok"
    found = within.contradictions(make([*CLEAN, ("MC", "MA", 0, "train")]), "train")
    assert found.severity == "warning"
    assert found.numbers == {"count": 1}
    single = [("MA", "C2", "train"), ("MA", "C3", "train"), ("MC", "C2", "train")]
    found = within.contradictions(make(single, pairs=False), "train")
    assert found.text == "1 of 2 distinct sequences (50.0%) have more than one label"


def test_self_pairs_that_give_the_label_away(make: Make):
    assert one(within.self_pairs(make(CLEAN), "train")).severity == "ok"
    all_positive = [*CLEAN, ("MA", "MA", 1, "train"), ("MC", "MC", 1, "train")]
    found = one(within.self_pairs(make(all_positive), "train"))
    assert found.severity == "warning"
    assert "2 of 5 pairs" in found.text
    assert "all labelled 1" in found.text
    found = one(within.self_pairs(make([*all_positive, ("MD", "MD", 0, "train")]), "train"))
    assert found.severity == "note"
    assert within.self_pairs(make([("MA", 1, "train")], pairs=False), "train") is None


def test_proteins_only_in_negatives(make: Make):
    rows = [*CLEAN, ("MA", "MW", 0, "train"), ("MC", "MW", 0, "train")]
    found = one(within.one_sided(make(rows), "train"))
    assert found.severity == "warning"
    assert found.numbers == {"count": 1, "proteins": 4}
    assert found.examples == ("seq_4",)
    assert found.advice.endswith("`peftide split --negatives sample`")
    assert one(within.one_sided(make(CLEAN), "train")).severity == "ok"
    assert within.one_sided(make([("MA", "MC", "x", "train")]), "train") is None


def test_few_only_in_negatives_are_a_note(make: Make):
    chain = [("M" + "A" * k, "M" + "A" * (k + 1), 1, "train") for k in range(1, 20)]
    found = one(within.one_sided(make([*chain, ("MA", "MW", 0, "train")]), "train"))
    assert found.severity == "note"
    assert found.numbers == {"count": 1, "proteins": 21}


def test_degree_balance(make: Make):
    names = ["M" + letter for letter in "ACDEFGHIKL"]
    generator = np.random.default_rng(0)
    hub = [(names[0], name, 1, "train") for name in names[1:]]
    others = [tuple(generator.choice(names[1:], 2, replace=False)) for _ in range(9)]
    negatives = [(a, b, 0, "train") for a, b in others]
    found = one(within.degree_balance(make([*hub, *negatives]), "train"))
    assert found.severity == "warning"
    assert found.numbers["correlation"] is not None
    assert found.numbers["correlation"] < 0
    # every protein has its positives again as negatives
    mirrored = [*hub[:5], *[(a, b + "W", 0, "train") for a, b, _, _ in hub[:5]]]
    found = one(within.degree_balance(make(mirrored), "train"))
    by_hand = np.corrcoef([5, *[1] * 5, *[0] * 5], [5, *[0] * 5, *[1] * 5])[0, 1]
    assert found.numbers["correlation"] == pytest.approx(by_hand)


def test_crops(make: Make):
    rows = [("M" * 12, "MC", 1, "train"), ("MC", "MD", 0, "train")]
    found = one(within.crops(make(rows, max_length=10), "train"))
    assert found.numbers == {"count": 1, "proteins": 3, "rows": 1}
    assert (
        "1 of 3 proteins (33.3%) have more than 10 residues, and 50.0% of the pairs" in found.text
    )
    assert one(within.crops(make(rows, max_length=12), "train")).severity == "ok"
    assert within.crops(make(rows, max_length=None), "train") is None


def test_nearly_equal_degrees_predict_nothing(make: Make):
    names = ["M" + letter for letter in "ACDEFGHIKL"]
    ring = [(a, b, 1, "train") for a, b in zip(names, names[1:] + names[:1], strict=True)]
    other = [(a, b, 0, "train") for a, b in zip(names, names[2:] + names[:2], strict=True)]
    further = [(names[0], names[5], 1, "train"), (names[1], names[6], 0, "train")]
    found = one(within.degree_balance(make([*ring, *other, *further]), "train"))
    assert found.severity == "ok"
    assert found.numbers["correlation"] == pytest.approx(-0.25)
