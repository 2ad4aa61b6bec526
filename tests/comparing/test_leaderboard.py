import numpy as np
import pytest

from peftide.comparing.cells import Contender
from peftide.comparing.leaderboard import Cost, Trained, choose, difference

METRIC = "average_precision"


def trained(method: str, seconds: float) -> Trained:
    return Trained(Contender(method, "mini"), {}, Cost(seconds, 1, 1, 1), (0,))


def compared(scores: dict[str, float], gap: dict[str, object]) -> dict[str, object]:
    first, second = scores
    return {
        "scores": {name: {METRIC: {"value": value}} for name, value in scores.items()},
        "differences": {f"{first} − {second}": {METRIC: gap}},
    }


EQUAL = {
    **{"value": -0.01, "low": -0.03, "high": 0.01},
    "verdict": "spans 0: no evidence of a difference",
}
WORSE = {"value": -0.1, "low": -0.2, "high": -0.05, "verdict": "below"}


@pytest.mark.parametrize(
    ("gap", "lora_seconds", "expected"),
    [(EQUAL, 400.0, "head"), (EQUAL, 15.0, "lora"), (WORSE, 400.0, "lora")],
    ids=["equal and cheaper", "equal, about as expensive", "worse"],
)
def test_validation_chooses_the_cheapest_of_equals(
    gap: dict[str, object], lora_seconds: float, expected: str
) -> None:
    both = [trained("head", 10.0), trained("lora", lora_seconds)]
    found = compared({"head_mini": 0.60, "lora_mini": 0.60 - float(gap["value"])}, gap)  # type: ignore[arg-type]
    assert choose(both, found, METRIC).contender.method == expected


def test_a_difference_has_two_directions() -> None:
    found = compared({"head": 0.6, "lora": 0.7}, WORSE)
    turned = difference(found, "lora", "head", metric=METRIC)
    assert (turned["value"], turned["low"], turned["high"]) == (0.1, 0.05, 0.2)
    assert turned["verdict"] == "above"
    assert difference(found, "head", "lora", metric=METRIC)["value"] == -0.1


def test_an_undefined_score_is_never_chosen() -> None:
    both = [trained("head", 10.0), trained("lora", 11.0)]
    found = compared({"head_mini": np.nan, "lora_mini": 0.5}, EQUAL)
    found["scores"]["head_mini"][METRIC]["value"] = None  # type: ignore[index]
    assert choose(both, found, METRIC).contender.method == "lora"
