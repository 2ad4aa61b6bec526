import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from peftide.config import EvaluateConfig
from peftide.errors import InputError
from peftide.tasks import TASKS
from peftide.workflows.evaluate import evaluate
from tests.conftest import FORMS, labelled_rows, write_rows

Trained = Callable[[str, str], Path]
QUICK: dict[str, Any] = {"threads": 1, "device": "cpu", "precision": "fp32"}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("method", FORMS)
def test_the_scores_are_those_of_the_test_part_of_training(
    trained: Trained, tmp_path: Path, task: str, method: str
) -> None:
    run = trained(task, method)
    config = EvaluateConfig(run=run, input=run.parent / "test.tsv", out=tmp_path / "s", **QUICK)
    now = evaluate(config)["splits"]["test"]
    before = json.loads((run / "metrics.json").read_text())["splits"]["test"]
    assert now.keys() == before.keys()
    for name, entry in before.items():
        if "value" not in entry:
            continue
        assert now[name]["n"] == entry["n"]
        value = now[name]["value"]
        if entry["value"] is not None:
            assert value == pytest.approx(entry["value"], rel=1e-4, abs=1e-5), name
    assert sorted(path.name for path in config.out.iterdir()) == [
        "metrics.json",
        "predictions.tsv",
        "report.html",
        "run.json",
        "strata.tsv",
    ]


def test_one_part_of_a_table_is_scored(trained: Trained, tmp_path: Path) -> None:
    run = trained("regression", "head")
    rows = [
        (*row, part) for part in ("train", "test") for row in labelled_rows("regression", part, 8)
    ]
    table = write_rows(tmp_path / "x.tsv", "id sequence label split", rows)
    config = EvaluateConfig(run=run, input=table, out=tmp_path / "s", part="test", **QUICK)
    before = json.loads((run / "metrics.json").read_text())["splits"]["test"]["spearman"]
    assert evaluate(config)["splits"]["test"]["spearman"]["value"] == pytest.approx(before["value"])


def test_proteins_that_were_trained_on_are_refused_unless_allowed(
    trained: Trained, tmp_path: Path
) -> None:
    run = trained("regression", "head")
    table = run.parent / "train.tsv"
    with pytest.raises(InputError, match=r"24 of 24 proteins were trained on .*train0"):
        evaluate(EvaluateConfig(run=run, input=table, out=tmp_path / "s", **QUICK))
    assert not (tmp_path / "s").exists()
    allowed = EvaluateConfig(
        run=run, input=table, out=tmp_path / "s", shared_proteins="allow", **QUICK
    )
    assert evaluate(allowed)["splits"]["test"]["spearman"]["n"] == 24


def test_a_trained_protein_under_another_name_is_noticed(trained: Trained, tmp_path: Path) -> None:
    (_, sequence, label), *_ = labelled_rows("regression", "train", 24)
    table = write_rows(
        tmp_path / "x.tsv", "id sequence label", [("new", sequence, label), ("n2", "MKV", 1)]
    )
    config = EvaluateConfig(
        run=trained("regression", "head"), input=table, out=tmp_path / "s", **QUICK
    )
    with pytest.raises(InputError, match="1 of 2 proteins were trained on .*new"):
        evaluate(config)


def test_an_old_result_is_replaced_only_when_asked(trained: Trained, tmp_path: Path) -> None:
    run = trained("regression", "head")
    table, out = run.parent / "test.tsv", tmp_path / "s"
    evaluate(EvaluateConfig(run=run, input=table, out=out, **QUICK))
    with pytest.raises(InputError, match="exists"):
        evaluate(EvaluateConfig(run=run, input=table, out=out, **QUICK))
    evaluate(EvaluateConfig(run=run, input=table, out=out, overwrite=True, **QUICK))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("precious")
    other = EvaluateConfig(run=run, input=table, out=tmp_path / "other", overwrite=True, **QUICK)
    with pytest.raises(InputError, match="not written by `peftide evaluate`"):
        evaluate(other)
    assert (tmp_path / "other" / "thesis.tex").is_file()


def test_the_record_names_model_and_table(trained: Trained, tmp_path: Path) -> None:
    run = trained("regression", "head")
    evaluate(EvaluateConfig(run=run, input=run.parent / "test.tsv", out=tmp_path / "s", **QUICK))
    record = json.loads((tmp_path / "s" / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["model"] == str(run)
    assert record["input"].endswith("test.tsv")
