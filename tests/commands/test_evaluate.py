import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from peftide.commands.evaluate import evaluate
from peftide.config import EvaluateConfig
from peftide.errors import InputError
from peftide.tasks import TASKS
from tests.commands.test_predict import Killed, killed_after
from tests.conftest import RUNS, labelled_rows, random_sequences, write_rows

Trained = Callable[[str, str], Path]
QUICK: dict[str, Any] = {"threads": 1, "device": "cpu", "precision": "fp32"}


@pytest.mark.parametrize(("task", "method"), RUNS)
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
    beside = json.loads((config.out / "metrics.json").read_text())["baselines"]
    trained_beside = json.loads((run / "metrics.json").read_text())["baselines"]
    assert beside.keys() == trained_beside.keys()
    for name, parts in beside.items():
        for score, entry in parts["test"].items():
            if entry.get("value") is not None:
                known = trained_beside[name]["test"][score]["value"]
                assert entry["value"] == pytest.approx(known, rel=1e-6), (name, score)
    curves = ["curves.tsv"] if TASKS[task].outcome.kind == "binary" else []
    assert sorted(path.name for path in config.out.iterdir()) == [
        "audit.json",
        *curves,
        "metrics.json",
        "predictions.tsv",
        "report.html",
        "run.json",
        "strata.tsv",
    ]
    assert set(pd.read_csv(config.out / "predictions.tsv", sep="\t")["split"]) == {"test"}
    assert ">A closer look at test<" in (config.out / "report.html").read_text(encoding="utf-8")


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
    with pytest.raises(InputError, match=r"trained on 24 of 24 proteins .*train0"):
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
    with pytest.raises(InputError, match="trained on 1 of 2 proteins .*new"):
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


def test_baselines_are_a_choice_and_a_run_without_any_says_so(
    trained: Trained, tmp_path: Path
) -> None:
    run = trained("ppi", "head")
    asked: dict[str, Any] = {"input": run.parent / "test.tsv", **QUICK}
    few = evaluate(EvaluateConfig(run=run, out=tmp_path / "a", baselines=("degree",), **asked))
    assert list(few["baselines"]) == list(few["differences"]) == ["degree"]
    none = evaluate(EvaluateConfig(run=run, out=tmp_path / "b", baselines=("none",), **asked))
    assert none["baselines"] == {}
    alone = evaluate(EvaluateConfig(run=run / "model", out=tmp_path / "c", **asked))
    assert alone["baselines"] == {}
    assert "--baselines none" in alone["notes"][-1]
    with pytest.raises(InputError, match="Did you mean kmer"):
        evaluate(EvaluateConfig(run=run, out=tmp_path / "d", baselines=("kmerr",), **asked))


def test_the_record_names_model_and_table(trained: Trained, tmp_path: Path) -> None:
    run = trained("regression", "head")
    evaluate(EvaluateConfig(run=run, input=run.parent / "test.tsv", out=tmp_path / "s", **QUICK))
    record = json.loads((tmp_path / "s" / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["model"] == str(run)
    assert record["input"].endswith("test.tsv")


def peer_file(run: Path, path: Path, *, noise: float = 0.0) -> Path:
    """Write the model's own scores of its test part, turned around, as another tool's file."""
    table = pd.read_csv(run / "predictions.tsv", sep="\t")
    shifted = table["score"] + noise * np.arange(len(table))
    rows = list(zip(table["id_b"], table["id_a"], shifted, strict=True))[::-1]
    return write_rows(path, "id_a id_b score", rows)


def pair_table(run: Path, path: Path) -> Path:
    """Write the test part with the ids that training gave its proteins."""
    ids = pd.read_csv(run / "predictions.tsv", sep="\t")
    rows = [
        (a, b, *row)
        for a, b, row in zip(ids["id_a"], ids["id_b"], labelled_rows("ppi", "test", 8), strict=True)
    ]
    return write_rows(path, "id_a id_b sequence_a sequence_b label", rows)


def test_a_peer_is_scored_on_the_same_rows(trained: Trained, tmp_path: Path) -> None:
    """Reference: the model's own scores as a peer's lead to the model's own ranking scores."""
    run = trained("ppi", "head")
    table = pair_table(run, tmp_path / "x.tsv")
    peer = peer_file(run, tmp_path / "peer.tsv")
    config = EvaluateConfig(
        run=run, input=table, out=tmp_path / "s", against=(f"self={peer}",), **QUICK
    )
    metrics = evaluate(config)
    own, other = metrics["splits"]["test"], metrics["peers"]["self"]["test"]
    assert set(other) == {"average_precision", "auroc"}
    assert other["average_precision"]["value"] == pytest.approx(own["average_precision"]["value"])
    lead = metrics["differences"]["self"]["test"]["auroc"]
    assert lead["value"] == pytest.approx(0)
    assert lead["spans_zero"] is None  # eight proteins: no interval


def test_a_peer_that_does_not_fit_is_refused_before_any_work(
    trained: Trained, tmp_path: Path
) -> None:
    run = trained("ppi", "head")
    table = pair_table(run, tmp_path / "x.tsv")
    peer = write_rows(tmp_path / "peer.tsv", "id_a id_b score", [("a", "b", 1.0)])
    config = EvaluateConfig(run=run, input=table, out=tmp_path / "s", against=(str(peer),), **QUICK)
    with pytest.raises(InputError, match="8 missing .* 1 not in the labelled table"):
        evaluate(config)
    assert not (tmp_path / "s").exists()


def test_coverage_of_sets_is_measured_and_its_caveat_noted(
    trained: Trained, tmp_path: Path
) -> None:
    run = trained("ppi", "head")
    config = EvaluateConfig(
        run=run, input=run.parent / "test.tsv", out=tmp_path / "s", error_rate=0.3, **QUICK
    )
    metrics = evaluate(config)
    sets = metrics["conformal"]["test"]
    table = pd.read_csv(tmp_path / "s" / "predictions.tsv", sep="\t", dtype={"set": str})
    sets_of_positives = [str(found) for found in table.loc[table["label"] == 1, "set"]]
    assert sets["coverage"]["1"]["n"] == len(sets_of_positives) == 4
    assert sets["coverage"]["1"]["value"] == np.mean(["1" in found for found in sets_of_positives])
    assert any("not exchangeable" in note for note in metrics["notes"])


def test_clusters_of_a_table_are_what_is_resampled(trained: Trained, tmp_path: Path) -> None:
    run = trained("regression", "head")
    sequences = random_sequences(40, seed=99)
    rows = [(f"s{k}", text, k % 7, f"c{k // 2}") for k, text in enumerate(sequences)]
    table = write_rows(tmp_path / "x.tsv", "id sequence label cluster", rows)
    metrics = evaluate(EvaluateConfig(run=run, input=table, out=tmp_path / "s", **QUICK))
    assert metrics["intervals"]["test"]["unit"] == "cluster"
    assert metrics["intervals"]["test"]["units"] == 20
    entry = metrics["splits"]["test"]["mae"]
    assert entry["low"] < entry["value"] < entry["high"]


def test_validation_rows_are_no_test(trained: Trained, tmp_path: Path) -> None:
    """Validation chose epoch, threshold and calibration."""
    run = trained("ppi", "head")
    config = EvaluateConfig(
        run=run, input=run.parent / "validation.tsv", out=tmp_path / "s", **QUICK
    )
    with pytest.raises(InputError, match=r"validated on 8 of 8 proteins"):
        evaluate(config)
    assert not (tmp_path / "s").exists()
    evaluate(replace(config, shared_proteins="allow"))


def test_a_killed_evaluation_goes_on_from_its_last_save(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, out = trained("ppi", "lora"), tmp_path / "s"
    options: dict[str, Any] = {"run": run, "input": run.parent / "test.tsv", "max_tokens": 40}
    with monkeypatch.context() as patch:
        killed_after(4, patch)
        with pytest.raises(Killed):
            evaluate(EvaluateConfig(out=out, **options, **QUICK))
    encoded = killed_after(0, monkeypatch)
    evaluate(EvaluateConfig(out=out, **options, **QUICK))
    assert 0 < sum(encoded) < 8
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
