from pathlib import Path

from peftide.report.layers import layers
from peftide.report.read import read_run
from tests.report.conftest import entry, write_run

FOUND = {
    "chosen": 1,
    "metric": "average_precision",
    "said": "layer 1 is best; a plateau from 0 to 1: no clear difference from the best",
    "scores": [{"layer": 0, "value": 0.61}, {"layer": 1, "value": 0.63, "low": 0.6, "high": 0.66}],
}
METRICS = {"headline": "average_precision", "splits": {"test": {"average_precision": entry(0.7)}}}


def test_every_layer_has_its_score_and_the_choice_is_marked(tmp_path: Path) -> None:
    found = layers(read_run(write_run(tmp_path, METRICS, layers=FOUND)))
    assert found is not None
    shown = found.markup()
    assert "a plateau from 0 to 1" in shown
    assert shown.count("<tr") == 3
    assert "0.630" in shown.split(">chosen<")[0].split("0.610")[1]


def test_a_run_that_chose_no_layer_says_nothing(tmp_path: Path) -> None:
    assert layers(read_run(write_run(tmp_path, METRICS))) is None
