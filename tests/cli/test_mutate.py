"""`peftide mutate` on the command line."""

import json
from pathlib import Path

import pandas as pd
import pytest

from peftide.cli import mutate as module
from peftide.cli.main import main


def write_record(*, prediction: float, in_train: bool) -> None:
    """Write what the CLI reads again of the command that the tests replace."""
    wild_type = {"prediction": prediction, "in_train": in_train}
    Path("designs").mkdir()
    Path("designs/run.json").write_text(json.dumps({"format_version": 1, "wild_type": wild_type}))


@pytest.mark.parametrize(
    ("in_train", "end"), [(True, "; 1 mutant of 2 above it"), (False, ", not in train")]
)
def test_it_prints_the_best_mutants(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], in_train: bool, end: str
) -> None:
    write_record(prediction=1.25, in_train=in_train)
    table = pd.DataFrame({"mutant": ["A1G", "A1C"], "prediction": [2.0, 1.0]})
    table["change"] = [0.75, -0.25]
    table["measured"] = ["yes", "no"]
    monkeypatch.setattr(module, "mutate", lambda _config, given: table)
    assert main(["mutate", "run", "--out", "designs", "--top", "1"]) == 0
    captured = capsys.readouterr()
    assert captured.err.endswith("next: peftide train --config run/config.yaml --out run\n")
    lines = captured.out.splitlines()
    assert lines[1].split() == ["A1G", "2.0", "0.75", "yes"]
    assert lines[-5] == f"wild type: prediction 1.25{end}"
    assert lines[-4] == "2 mutants; the best 1 of 1 that were not measured are to order"
    assert lines[-3:] == [
        "all scores: designs/variants.tsv",
        "to order: designs/order.tsv",
        "heat map: designs/heat_map.svg",
    ]


def test_it_says_how_many_mutants_are_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_record(prediction=0.5, in_train=True)
    table = pd.DataFrame({"mutant": [f"A{k}G" for k in range(1, 13)], "prediction": 1.0})
    table["change"] = 0.5
    table["measured"] = "no"
    monkeypatch.setattr(module, "mutate", lambda _config, given: table)
    assert main(["mutate", "run", "--out", "designs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[10].split() == ["A10G", "1.0", "0.5", "no"]
    assert lines[11] == "… and 2 more in designs/variants.tsv"
