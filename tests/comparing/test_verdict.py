from typing import Any

import pytest

from peftide.comparing.verdict import said_name, verdict
from peftide.report.comparison import BASELINE
from peftide.report.summary_forms import TRAINED

HEAD: dict[str, Any] = {
    **{"name": "head_mini", "method": "head", "backbone": "mini", "status": TRAINED},
    "seconds": 10.0,
}
LORA = {
    **{**HEAD, "name": "lora_mini", "method": "lora", "seconds": 400.0},
    **{"difference": 0.002, "verdict": "spans 0: no evidence of a difference"},
}
SKIPPED = {"name": "full_mini", "method": "full", "backbone": "mini", "status": "skipped"}


def kmer(verdict: str, gap: float) -> dict[str, Any]:
    named = {"name": "kmer", "method": "kmer", "backbone": "none", "status": BASELINE}
    return {**named, "verdict": verdict, "difference": gap}


def test_choice_rivals_and_baseline_have_a_sentence_each() -> None:
    said = verdict("head_mini", [LORA, HEAD, kmer("below", -0.1), SKIPPED])
    assert len(said) == 3
    assert "head" in said[0]
    assert "lora is not distinguishable from head (" in said[1]
    assert "40.0 times" in said[1]
    assert "above the best baseline, kmer, by 0.100" in said[2]


@pytest.mark.parametrize(
    ("found", "gap", "expected"),
    [
        ("above", 0.2, "no model is useful"),
        ("spans 0: no evidence of a difference", 0.01, "not distinguishable"),
    ],
)
def test_a_model_is_never_praised_beside_a_baseline_as_good(
    found: str, gap: float, expected: str
) -> None:
    assert any(expected in said for said in verdict("head_mini", [kmer(found, gap), HEAD]))


def test_a_baseline_has_no_backbone_in_its_name() -> None:
    rows = [HEAD, {**LORA, "backbone": "unirep"}, kmer("below", -0.1)]
    assert [said_name(row, rows) for row in rows] == ["head on mini", "lora on unirep", "kmer"]


def test_a_baseline_that_beats_every_model_comes_first() -> None:
    said = verdict("lora_mini", [kmer("above", 0.2), LORA])
    assert said[0].startswith("The baseline kmer is above lora by 0.200")
    assert said[1] == "Chosen on validation: lora."
    said = verdict("lora_mini", [LORA, kmer("below", -0.2)])
    assert said[-1].startswith("lora is above the best baseline")
